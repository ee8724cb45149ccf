import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'
import { makePdf } from './pdf.ts'

const PAGES = {
  'First steps': [
    ['First steps', 'What a node is, what a task is,', 'and how the two find each other.'],
    ['A node', 'A program on a machine with GPUs.', 'It connects out, and takes tasks.'],
    ['A task', 'It waits, runs, and ends.', 'Its log is written while it runs.'],
  ],
  'The live channel': [
    ['The live channel', 'One socket for everything', 'that happens to you.'],
    ['Cursors', 'Each event has a number.', 'A client that returns names the last.'],
  ],
}

/** Materials, a course of them, and study tasks: one that plays, and one that has not been started. */
export async function furnishStudy({ user, state }: Demo): Promise<void> {
  const upload = async (title: string, file: Blob, name: string) => {
    const form = new FormData()
    form.set('title', title)
    form.set('file', file, name)
    await dataOf(user.learning.upload.post(form))
  }
  for (const [title, pages] of Object.entries(PAGES)) {
    const file = new Blob([makePdf(pages)], { type: 'application/pdf' })
    await state.once(title, () => upload(title, file, `${title.toLowerCase().replaceAll(' ', '-')}.pdf`))
  }
  await state.once('video', async () => {
    const video = await makeVideo(join(state.directory, 'video.mp4'))
    if (video) await upload('A moving picture', video, 'moving-picture.mp4')
    else console.log('There is no ffmpeg with H.264 here, so the demo has no video.')
  })
  await state.once('course', async () => {
    const { items } = await dataOf(
      user.learning.materials.get({
        query: { page: 1, page_size: 20, sort_by: 'created_at', sort_order: 'asc' },
      }),
    )
    const material_ids = items.map(({ id }) => id)
    await dataOf(
      user.study.courses.post({ courseName: 'Roost for newcomers', teacherName: 'Demo', material_ids }),
    )
  })
  await state.once('study tasks', async () => {
    const courses = await dataOf(user.study.courses.list.get())
    const course_ids = courses.map(({ courseId }) => courseId)
    const { data } = await dataOf(user.factory.tasks.post({ name: 'Study: Roost for newcomers', course_ids }))
    await dataOf(user.study.tasks({ id: data.id }).start.post())
    await dataOf(user.factory.tasks.post({ name: 'Study once more, later', course_ids }))
  })
}

/** Forty seconds of a test picture with a clock. Undefined without an ffmpeg that can encode it. */
async function makeVideo(path: string): Promise<Blob | undefined> {
  const ffmpeg = Bun.which('ffmpeg')
  if (!ffmpeg) return undefined
  const source = 'testsrc2=size=640x360:rate=24:duration=40'
  const encoding = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
  ]
  const command = [ffmpeg, '-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', source, ...encoding, path]
  const { exitCode } = Bun.spawnSync(command, { stdio: ['ignore', 'ignore', 'ignore'] })
  if (exitCode !== 0) return undefined
  const video = new Blob([await Bun.file(path).bytes()], { type: 'video/mp4' })
  rmSync(path)
  return video
}
