/** Durations of videos and pages of documents: docs/contracts/study.md, "Courses". */
import { afterAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { createCourse } from '../../../src/core/courses/courses.ts'
import { measureHandle } from '../../../src/core/materials/job-handles.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { fixture } from '../../imaging/support.ts'
import { api } from '../../support/api.ts'
import { makeMaterial } from '../../support/courses.ts'
import { makeUser } from '../../support/factories.ts'
import { form, pdf, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { db, storage } = server.ctx
const editor = await makeUser(server, { role: 'editor' })

const rowOf = async (id: number) => (await db.select().from(materials).where(eq(materials.id, id)))[0]!
const measures = async (id: number) => {
  const { durationSeconds, pages } = await rowOf(id)
  return { durationSeconds, pages }
}
const create = async (...material_ids: number[]) => {
  const answer = await api(server, 'POST', '/api/courses', {
    token: editor.token,
    body: { courseName: 'a', material_ids },
  })
  expect(answer.status).toBe(201)
  return answer.body as { courseId: string; items: { duration: number; isOpen: boolean }[] }
}
const itemsOf = async (courseId: string) =>
  (await api(server, 'GET', `/api/courses/${courseId}`, { token: editor.token })).body.items as Awaited<
    ReturnType<typeof create>
  >['items']

/** As browsers record it: the element Duration (0x4489) becomes a Void one (RFC 8794). */
function withoutDuration(webm: Buffer): Uint8Array {
  const at = webm.indexOf(Buffer.from([0x44, 0x89, 0x88]))
  expect(at).toBeGreaterThan(0)
  const bytes = new Uint8Array(webm)
  bytes.set([0xec, 0x89, 0], at)
  return bytes
}

const allMeasured = () =>
  eventually(async () => {
    const { waiting, running } = await server.ctx.queue.pending(measureHandle)
    return waiting + running === 0
  }, 'nothing is left to measure')

test('a video and a PDF are measured with their thumbnails', async () => {
  const files = [
    ['a.webm', fixture('vp9.webm')],
    ['a.pdf', pdf()],
  ] as const
  const ids: number[] = []
  for (const [name, bytes] of files) {
    const response = await upload(
      server,
      editor.token,
      form(['title', name], ['file', new Uint8Array(bytes), name]),
    )
    ids.push(((await response.json()) as { id: number }).id)
  }
  const [video, document] = ids as [number, number]
  await eventually(async () => (await rowOf(video)).thumbnailStatus === 'completed', 'the first thumbnail')
  await eventually(
    async () => (await rowOf(document)).thumbnailStatus === 'completed',
    'the second thumbnail',
  )
  expect(await measures(video)).toEqual({ durationSeconds: 4, pages: null })
  expect(await measures(document)).toEqual({ durationSeconds: null, pages: 1 })
  expect((await create(video, document)).items).toMatchObject([
    { duration: 4, isOpen: true },
    { duration: 60, isOpen: true },
  ])
})

test('an older material is measured when a course first names it, and opens then', async () => {
  const unknown = { durationSeconds: null, thumbnailStatus: 'failed' } as const
  const older = async (name: string, bytes: Uint8Array, rest: Parameters<typeof makeMaterial>[2] = {}) => {
    const filePath = `materials/${editor.user.id}/${name}`
    await storage.write(filePath, new Response(bytes as never).body!)
    return makeMaterial(server, editor, { ...unknown, filePath, ...rest })
  }
  const video = await older('a.mp4', fixture('h264.mp4'))
  // No thumbnail can be made of it.
  const sound = await older('b.mp4', fixture('audio-only.mp4'))
  const document = await older('c.pdf', pdf(), { type: 'pdf', fileFormat: 'pdf' })
  const recorded = await older('e.webm', withoutDuration(fixture('vp9.webm')), { fileFormat: 'webm' })
  const damaged = await older('d.mp4', new Uint8Array(2048))
  const { courseId, items } = await create(video, sound, document, recorded, damaged)
  expect(items.map(({ isOpen }) => isOpen)).toEqual([false, false, false, false, false])
  await allMeasured()
  const [first, second, third, fourth, last] = await itemsOf(courseId)
  expect(first).toMatchObject({ isOpen: true, duration: 4 })
  expect(second!.isOpen).toBe(true)
  expect(second!.duration).toBeGreaterThan(1)
  expect(third).toMatchObject({ isOpen: true, duration: 60 })
  expect(fourth!.isOpen).toBe(true)
  expect(fourth!.duration).toBeCloseTo(4, 0)
  expect(last).toMatchObject({ isOpen: false, duration: 0 })
  expect(await measures(damaged)).toEqual({ durationSeconds: 0, pages: null })
  // Nothing is left to measure, also of the file that tells nothing.
  await create(video, damaged)
  const { waiting, running } = await server.ctx.queue.pending(measureHandle)
  expect(waiting + running).toBe(0)
})

test('a course whose materials cannot be used is not made, and nothing is measured', async () => {
  const id = await makeMaterial(server, editor, { durationSeconds: null })
  const who = {
    ...editor.user,
    userId: editor.user.id,
    userUuid: editor.user.uuid,
    sessionId: '',
    client: { ip: '', userAgent: undefined, requestId: '' },
  }
  const input = { name: 'a', teacherName: '', materialIds: [id, 2_000_000_000] }
  await expect(createCourse(server.ctx, who, input)).rejects.toThrow('VALIDATION_FAILED')
  expect((await server.ctx.queue.pending(measureHandle)).waiting).toBe(0)
})
