/** A server with something on every page, in one language: what is shown in another one is a text of the page. */
import { api } from '../support/api.ts'
import { makeNode, makeTask, makeUser, type TestUser } from '../support/factories.ts'
import { form, sendForm, upload } from '../support/files.ts'
import { eventually, freePort } from '../support/process.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { openNode, type TestSocket } from '../support/sockets.ts'
import { document, landscape } from './pictures.ts'

type Language = 'en' | 'zh'

const WORDS = {
  en: {
    training: 'Fine-tune the lake model',
    rendering: 'Render the harbour at dusk',
    counting: 'Count birds in the reed',
    waiting: 'Sort the archive',
    broken: 'Read the old tapes',
    study: 'Learn the basics',
    step: 'Epoch 7 of 10',
    log: 'Loaded 4,096 pictures',
    course: 'Light and colour',
    teacher: 'Mei Lin',
    material: 'Notes on light',
    photos: ['Reed at dawn', 'Harbour', 'Old bridge', 'First snow', 'Rice terraces', 'Night ferry'],
    category: 'Landscape',
    tags: ['water', 'evening'],
    place: 'Hangzhou',
    meeting: 'Planning',
    lunch: 'Lunch with Mei',
    question: 'my tasks',
    codes: 'Spring course',
    hook: 'Tells the lab',
  },
  zh: {
    training: '微调湖面模型',
    rendering: '渲染黄昏的港口',
    counting: '统计芦苇中的鸟',
    waiting: '整理档案',
    broken: '读取旧磁带',
    study: '学习基础',
    step: '第七轮',
    log: '已载入图片',
    course: '光与色',
    teacher: '林梅',
    material: '光的笔记',
    photos: ['晨苇', '港口', '古桥', '初雪', '梯田', '夜渡'],
    category: '风景',
    tags: ['水', '傍晚'],
    place: '杭州',
    meeting: '例会',
    lunch: '与梅共进午餐',
    question: '我的任务',
    codes: '春季课程',
    hook: '通知实验室',
  },
} as const

export interface World extends AsyncDisposable {
  server: TestServer
  /** A super administrator, to whom everything belongs. */
  owner: TestUser
  /** The things that pages with an id in their address show, by the path of the page. */
  shown: Record<string, string>
}

export async function makeWorld(language: Language): Promise<World> {
  const server = await startServer({ ALLOW_PRIVATE_EGRESS: '1' })
  const owner = await makeUser(server, { role: 'super_admin', balanceMinor: 12_000 })
  const words = WORDS[language]
  const post = async (path: string, body: unknown) => {
    const answer = await api(server, 'POST', path, {
      token: owner.token,
      body,
      headers: { 'accept-language': language },
    })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return answer.body.data ?? answer.body
  }
  const { node, stop } = await startNode(server)
  const task = await makeTasks(server, owner, node, words)
  const photo = await makePhotos(server, owner, words, post)
  const material = await makeMaterial(server, owner, words.material)
  const course = await post('/api/courses', {
    courseName: words.course,
    teacherName: words.teacher,
    material_ids: [material],
  })
  await makeTask(server, owner, { kind: 'study', title: words.study, courseIds: [course.courseId] })
  await makeSchedule(words, post)
  const chat = await post('/api/v1/agent-chats', { message: words.question, timezone: 'Asia/Shanghai' })
  const webhook = await post('/v1/webhooks', {
    url: `http://127.0.0.1:${freePort()}/roost`,
    description: words.hook,
    events: ['task.completed', 'photo.created'],
  })
  await post(`/v1/webhooks/${webhook.id}/test`, {})
  await post('/api/recharge/codes', { amount: 50, description: words.codes, batch_size: 3, max_uses: 2 })
  await post('/api/v1/invite-codes', { max_uses: 5 })
  return {
    server,
    owner,
    shown: {
      '/tasks/:id': task,
      '/materials/:id': String(material),
      '/photos/:id': String(photo),
      '/chat/:session': chat.session_id,
      '/webhooks/:id': String(webhook.id),
    },
    async [Symbol.asyncDispose]() {
      stop()
      await server.stop()
    },
  }
}

type Words = (typeof WORDS)[Language]
type Post = (path: string, body: unknown) => Promise<Record<string, string>>

async function startNode(server: TestServer): Promise<{ node: TestSocket; stop: () => void }> {
  const { token } = await makeNode(server, 2)
  const gpus = [0, 1].map((gpu_id) => ({ gpu_id, name: 'NVIDIA A100', memory_total: 80 }))
  const node = await openNode(server, token, { gpus, taskTypes: ['test', 'video_analysis'] })
  let beats = 0
  const beat = () => {
    const usage = 40 + ((beats++ * 13) % 50)
    const figures = { memory_used: 48, memory_total: 80, temperature: 61, power: 240 }
    const now = gpus.map(({ gpu_id }) => ({ gpu_id, usage: usage + gpu_id * 9, ...figures }))
    node.send({ type: 'heartbeat', cpu_usage: 30, memory_usage: 44, gpus: now })
  }
  for (let n = 0; n < 3; n++) beat()
  const timer = setInterval(beat, 2000)
  return {
    node,
    stop() {
      clearInterval(timer)
      node.close()
    },
  }
}

/** @returns the id of one that has ended, with a log and a result */
async function makeTasks(server: TestServer, owner: TestUser, node: TestSocket, words: Words) {
  const begin = async (title: string) => {
    const { uuid } = await makeTask(server, owner, { title, priority: 3 })
    const { task_id, attempt } = await node.next('assign', (frame) => frame.task_id === uuid)
    const lease = { task_id, attempt }
    node.send({ type: 'accept', ...lease })
    node.send({ type: 'log', ...lease, level: 'INFO', message: words.log })
    node.send({ type: 'progress', ...lease, progress: 64, current_item: words.step })
    return lease
  }
  const ended = await begin(words.training)
  node.send({ type: 'completed', ...ended, result: { accuracy: 0.973, epochs: 10 } })
  await node.next('ack', ({ task_id }) => task_id === ended.task_id)
  const failed = await begin(words.broken)
  node.send({ type: 'failed', ...failed, error: 'ENOENT', exit_code: 2 })
  await node.next('ack', ({ task_id }) => task_id === failed.task_id)
  await begin(words.rendering)
  await begin(words.counting)
  await makeTask(server, owner, { title: words.waiting })
  return ended.task_id as string
}

async function makePhotos(server: TestServer, owner: TestUser, words: Words, post: Post) {
  const category = await post('/v1/categories', { name: words.category, slug: 'landscape' })
  let last = ''
  for (const [n, title] of words.photos.entries()) {
    const bytes = new Uint8Array(await landscape(n))
    const file = await sendForm(server, '/v1/upload/single', owner.token, form(['file', bytes, `${n}.jpg`]))
    const photo = await post('/v1/photos', {
      title,
      file_id: file.body.data.file_id,
      status: 'published',
      visibility: 'public',
      tags: words.tags,
      categories: [Number(category.id)],
      taken_at: `2026-0${n + 1}-12T08:30:00Z`,
      location: { name: words.place, latitude: 30.2 + n / 10, longitude: 120.1 + n / 10 },
    })
    last = photo.id!
  }
  await eventually(async () => {
    const { body } = await api(server, 'GET', '/v1/photos?limit=50', { token: owner.token })
    return body.data.every((one: { processing_status: string }) => one.processing_status === 'completed')
  }, 'the processed photos')
  return last
}

async function makeMaterial(server: TestServer, owner: TestUser, title: string): Promise<number> {
  const answer = await upload(
    server,
    owner.token,
    form(['title', title], ['file', document('Light'), 'light.pdf']),
  )
  const { id } = (await answer.json()) as { id: number }
  await eventually(async () => {
    const path = `/api/v1/upload/thumbnail-status/${id}`
    return (await api(server, 'GET', path, { token: owner.token })).body.has_thumbnail
  }, 'the thumbnail')
  return id
}

async function makeSchedule(words: Words, post: Post): Promise<void> {
  const today = Temporal.Now.plainDateISO('Asia/Shanghai')
  const at = (hour: number) => `${today}T${hour}:00`
  await post('/api/v1/schedule-items', {
    title: words.meeting,
    start_at: at(10),
    end_at: at(11),
    timezone: 'Asia/Shanghai',
    rrule: 'FREQ=DAILY;COUNT=5',
    reminder_minutes: 10,
  })
  await post('/api/v1/schedule-items', {
    title: words.lunch,
    start_at: at(13),
    end_at: at(14),
    timezone: 'Asia/Shanghai',
    metadata: { location: words.place, color: '#2a9d8f' },
  })
}
