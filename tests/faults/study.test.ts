/**
 * Protects docs/operations.md, "Study tasks": a task runs on one server, goes on elsewhere when that server stops, dies or
 * hangs, loses a second at most, and tells its owner everything once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { form, pdf } from '../support/files.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { openLive, type TestSocket } from '../support/sockets.ts'
import { type Account, must, register, signInAsAdmin } from './client.ts'
import { Reader } from './reader.ts'

if (!postgresBinaries) console.log(`skipped: study tasks on two servers: ${NO_POSTGRES}`)

/** A page of a document lasts this long at speed 1. */
const PAGE_SECONDS = 60

const JWT_SECRET = 'a secret that both servers of the fault suite know'

async function makeCourse(url: string): Promise<string> {
  const token = await signInAsAdmin(url)
  const upload = async () => {
    const body = form(['title', 'page'], ['file', pdf(), 'page.pdf'])
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${url}/api/v1/upload`, { method: 'POST', headers, body })
    return ((await response.json()) as { id: number }).id
  }
  const body = { courseName: 'course', teacherName: 'T', material_ids: [await upload(), await upload()] }
  const course = (await must(url, 'POST', '/api/courses', { token, body })).body
  await eventually(async () => {
    const { items } = (await must(url, 'GET', `/api/courses/${course.courseId}`, { token })).body
    return items.every(({ isOpen }: { isOpen: boolean }) => isOpen)
  }, 'the pages are counted')
  return course.courseId
}

const setSpeed = (url: string, { token }: Account, speed: number) =>
  must(url, 'PUT', '/api/user/config', { token, body: { speed } })

interface Task {
  id: number
  uuid: string
}

async function startTask(url: string, owner: Account, course: string): Promise<Task> {
  const { token } = owner
  const body = { name: 'task', course_ids: [course] }
  const made = (await must(url, 'POST', '/api/tasks', { token, body })).body
  await must(url, 'POST', `/api/tasks/${made.id}/start`, { token })
  return { id: made.id, uuid: made.data.id }
}

const show = async (url: string, { token }: Account, { id }: Task) =>
  (await must(url, 'GET', `/api/tasks/${id}`, { token })).body
const act = async (url: string, { token }: Account, { id }: Task, verb: string) =>
  (await must(url, 'POST', `/api/tasks/${id}/${verb}`, { token })).body

const plays = (url: string, owner: Account, task: Task, seconds: number) =>
  eventually(async () => {
    const shown = await show(url, owner, task)
    return shown.item_current_time >= seconds && shown
  }, `the task has played ${seconds} seconds`)

/** Pause, and play the rest at the highest speed. */
async function finish(url: string, owner: Account, task: Task): Promise<void> {
  await act(url, owner, task, 'pause')
  await setSpeed(url, owner, 100)
  await act(url, owner, task, 'resume')
}

/** The seconds that a watcher was shown, over all items. */
const seconds = ({ frames }: TestSocket, task: Task): number[] =>
  frames
    .filter(({ type, task_id }) => type === 'task_update' && task_id === task.id)
    .map(({ data }) => (data.progress / 100) * 2 * PAGE_SECONDS)

const jumpsBack = (shown: number[]): number[] =>
  shown.slice(1).flatMap((now, i) => (now < shown[i]! ? [shown[i]! - now] : []))

describe('one server on the embedded database', () => {
  test('kill -9: after the restart the task goes on where it was', async () => {
    await using server = await ServerProcess.start()
    const course = await makeCourse(server.url)
    const owner = await register(server.url)
    await using reader = await new Reader('owner', () => server.wsUrl, owner).ready()
    await setSpeed(server.url, owner, 4)
    const task = await startTask(server.url, owner, course)
    const before = await plays(server.url, owner, task, 8)
    const shownAt = performance.now()
    await server.kill()
    const untilKilled = (performance.now() - shownAt) / 1000
    await server.start()
    const after = await show(server.url, owner, task)
    expect(after.status).toBe('running')
    const from = Number(/从第 (\d+) 秒继续/.exec(after.logs.at(-1).message)![1])
    // Half a second between two beats is two seconds of an item at speed 4. The time without the server does not count.
    expect(from).toBeGreaterThanOrEqual(before.item_current_time - 3)
    expect(from).toBeLessThanOrEqual(before.item_current_time + 1 + 4 * untilKilled)
    await plays(server.url, owner, task, after.item_current_time + 1)

    const stopped = await show(server.url, owner, task)
    expect((await server.terminate()).code).toBe(0)
    await server.start()
    const again = await show(server.url, owner, task)
    expect(again.progress).toBeGreaterThanOrEqual(stopped.progress)
    await finish(server.url, owner, task)
    await reader.event('task.completed', task.uuid)
    expect(reader.story(task.uuid)).toEqual([
      'created 0',
      'started 1',
      'paused 3',
      'resumed 4',
      'completed 4',
    ])
    expect([...reader.problems, ...server.complaints]).toEqual([])
  })
})

describe('two servers', () => {
  const stack = new AsyncDisposableStack()
  let a: ServerProcess
  let b: ServerProcess
  /** A course of two documents of one page each. */
  let courseId: string
  beforeAll(async () => {
    if (!postgresBinaries) return
    const cluster = stack.use(await PostgresCluster.start())
    const env = { DATABASE_URL: await cluster.createDatabase(), JWT_SECRET }
    a = stack.use(await ServerProcess.start(env))
    b = stack.use(await ServerProcess.start(env))
    courseId = await makeCourse(a.url)
  }, 200_000)
  afterAll(() => stack.disposeAsync())

  async function ownerOnB(stack: AsyncDisposableStack, speed = 2) {
    const owner = await register(b.url)
    await setSpeed(b.url, owner, speed)
    const reader = await stack.use(new Reader('on B', () => b.wsUrl, owner)).ready()
    return { owner, reader }
  }

  async function watch(stack: AsyncDisposableStack, server: ServerProcess, owner: Account, task: Task) {
    const live = await openLive(server, owner.token)
    stack.defer(() => live.close())
    live.send({ type: 'subscribe_task', task_id: task.id })
    await live.next('task_update', ({ data }) => data.item_current_time > 0)
    return live
  }

  test.skipIf(!postgresBinaries)('requests on one stop and move a task of the other', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader } = await ownerOnB(stack)
    const task = await startTask(a.url, owner, courseId)
    const playing = await plays(a.url, owner, task, 4)
    const paused = await act(b.url, owner, task, 'pause')
    expect(paused.item_current_time).toBeGreaterThanOrEqual(playing.item_current_time)
    expect((await show(a.url, owner, task)).item_current_time).toBe(paused.item_current_time)
    const resumed = await act(b.url, owner, task, 'resume')
    expect(resumed.item_current_time).toBeGreaterThanOrEqual(paused.item_current_time)
    await plays(a.url, owner, task, resumed.item_current_time + 2)
    await act(a.url, owner, task, 'cancel')
    await act(a.url, owner, task, 'retry')
    await act(b.url, owner, task, 'start')
    const again = await show(a.url, owner, task)
    expect(again.item_current_time).toBeGreaterThanOrEqual(resumed.item_current_time)
    await act(a.url, owner, task, 'cancel')
    await eventually(() => reader.story(task.uuid).length === 8, 'all events')
    expect(reader.story(task.uuid)).toEqual([
      'created 0',
      'started 1',
      'paused 1',
      'resumed 2',
      'cancelled 2',
      'requeued 2',
      'started 3',
      'cancelled 3',
    ])
    expect([...reader.problems, ...a.complaints, ...b.complaints]).toEqual([])
  })

  test.skipIf(!postgresBinaries)(
    'the runner hangs until the other server has its task: it drops the task and does nothing more to it',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { owner, reader } = await ownerOnB(stack, 12)
      stack.defer(() => a.thaw())
      const task = await startTask(a.url, owner, courseId)
      await plays(b.url, owner, task, 6)
      a.freeze()
      await eventually(async () => (await show(b.url, owner, task)).logs.some(isMoved), 'B takes the task')
      // On the clock of A the first item is over when A goes on.
      a.thaw()
      await eventually(() => a.output.includes('others run its study tasks'), 'A notices')
      await reader.event('task.completed', task.uuid)
      expect(reader.story(task.uuid)).toEqual(['created 0', 'started 1', 'completed 2'])
      const { logs } = await show(b.url, owner, task)
      const items = logs.filter(({ message }: { message: string }) => message.startsWith('当前任务'))
      expect(items.length).toBe(2)
      expect([...reader.problems, ...a.complaints, ...b.complaints]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)(
    'the runner stops: the other server goes on at once, without a step back',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { owner, reader } = await ownerOnB(stack)
      const task = await startTask(a.url, owner, courseId)
      const live = await watch(stack, b, owner, task)
      await plays(b.url, owner, task, 4)
      expect((await a.terminate()).code).toBe(0)
      await eventually(async () => (await show(b.url, owner, task)).logs.some(isMoved), 'B takes the task')
      const { item_current_time } = await show(b.url, owner, task)
      await plays(b.url, owner, task, item_current_time + 2)
      for (const jump of jumpsBack(seconds(live, task))) expect(jump).toBeLessThanOrEqual(1)
      await act(b.url, owner, task, 'cancel')
      await reader.event('task.cancelled', task.uuid)
      await a.start()
      expect([...reader.problems, ...a.complaints, ...b.complaints]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)('the runner is killed: the other server goes on', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader } = await ownerOnB(stack)
    const task = await startTask(a.url, owner, courseId)
    const live = await watch(stack, b, owner, task)
    const before = await plays(b.url, owner, task, 4)
    await a.kill()
    const moved = await eventually(async () => {
      const shown = await show(b.url, owner, task)
      return shown.data.status === 'running' && shown.logs.some(isMoved) && shown
    }, 'B takes the task')
    expect(moved.item_current_time).toBeGreaterThanOrEqual(before.item_current_time - 2)
    await plays(b.url, owner, task, before.item_current_time + 4)
    // At speed 2, with a second that rounding may cost.
    for (const jump of jumpsBack(seconds(live, task))) expect(jump).toBeLessThanOrEqual(3)
    await finish(b.url, owner, task)
    await reader.event('task.completed', task.uuid)
    expect(reader.story(task.uuid)).toEqual([
      'created 0',
      'started 1',
      'paused 2',
      'resumed 3',
      'completed 3',
    ])
    expect([...reader.problems, ...b.complaints]).toEqual([])
  })
})

const isMoved = ({ message }: { message: string }) => message.startsWith('服务器已更换')
