/** Study tasks whose courses are those of a server at COURSE_PROVIDER_URL: docs/course-provider.md. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { courseProgress } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { CourseServer } from '../../support/course-server.ts'
import { makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { freshParts, startServer, type TestServer } from '../../support/server.ts'

const outside = new CourseServer()
const OUTSIDE = { COURSE_PROVIDER_URL: outside.url, ALLOW_PRIVATE_EGRESS: '1', STUDY_RETRY_SECONDS: '1' }
const server = await startServer(OUTSIDE)
afterAll(async () => {
  await server.stop()
  await outside.stop()
})
afterEach(() => {
  outside.instead = () => undefined
})

const video = (id: string, open = true, duration = 10) => ({
  id,
  name: id,
  kind: 'video' as const,
  duration,
  open,
})

async function makeLearner(at: TestServer, notOpenAction: 'retry' | 'skip' = 'retry', speed = 100) {
  const learner = await makeUser(at)
  const username = unique('cx')
  outside.accounts.set(username, 'pass')
  await api(at, 'PUT', '/api/user/config', {
    token: learner.token,
    body: { cx_username: username, cx_password: 'pass', speed, notopen_action: notOpenAction },
  })
  return learner
}

async function start(at: TestServer, learner: TestUser, items: ReturnType<typeof video>[]) {
  const id = unique('course')
  outside.courses.push({ id, name: id, items })
  const task = await makeTask(at, learner, { kind: 'study', courseIds: [id] })
  expect((await act(at, learner, task, 'start')).status).toBe(200)
  return { ...task, courseId: id }
}

const act = (at: TestServer, { token }: TestUser, { id }: { id: number }, verb: string) =>
  api(at, 'POST', `/api/tasks/${id}/${verb}`, { token })
const show = async (at: TestServer, { token }: TestUser, { id }: { id: number }) =>
  (await api(at, 'GET', `/api/tasks/${id}`, { token })).body
const reaches = (at: TestServer, learner: TestUser, task: { id: number }, status: string) =>
  eventually(async () => {
    const shown = await show(at, learner, task)
    return shown.status === status && shown
  }, `the task is ${status}`)
const asksAbout = (courseId: string) =>
  outside.asked.filter(({ path, body }) => path === '/provider/items' && body.course_id === courseId)

test('many items that are not open are asked for in few requests', async () => {
  const learner = await makeLearner(server, 'skip')
  const closed = Array.from({ length: 300 }, (_, n) => video(`closed ${n}`, false))
  const task = await start(server, learner, [
    ...closed,
    video('open'),
    ...closed.slice(0, 10).map(({ id }) => video(`more ${id}`, false)),
  ])
  const { logs } = await reaches(server, learner, task, 'completed')
  expect(logs.filter(({ message }: { message: string }) => message === '当前任务: 🎬 open')).toHaveLength(1)
  // One item, six times 50 up to the open one; then one item, and the rest.
  expect(asksAbout(task.courseId).map(({ body }) => body.item_ids.length)).toEqual([
    1, 50, 50, 50, 50, 50, 50, 1, 9,
  ])
})

describe('a task whose account', () => {
  test('the provider refuses fails with the reason, asks no more, and goes on after a retry', async () => {
    const learner = await makeLearner(server)
    outside.instead = ({ path }) =>
      path === '/provider/items' ? new Response(null, { status: 403 }) : undefined
    const task = await start(server, learner, [video('a')])
    const failed = await reaches(server, learner, task, 'failed')
    expect(failed.data.failure_code).toBe('course_account_refused')
    expect(failed.error_message).toContain('课程平台拒绝了您的账号或密码')
    expect(failed.logs.at(-1)).toMatchObject({ level: 'ERROR', message: failed.error_message })
    expect(asksAbout(task.courseId)).toHaveLength(1)
    outside.instead = () => undefined
    await act(server, learner, task, 'retry')
    await act(server, learner, task, 'start')
    await reaches(server, learner, task, 'completed')
  })

  test('is removed fails with the reason', async () => {
    const learner = await makeLearner(server)
    const task = await start(server, learner, [video('a', false)])
    await api(server, 'PUT', '/api/user/config', { token: learner.token, body: { cx_password: '' } })
    const { data } = await reaches(server, learner, task, 'failed')
    expect(data.failure_code).toBe('course_account_missing')
  })

  test('cannot be checked, because the provider is away, waits', async () => {
    const learner = await makeLearner(server)
    outside.instead = ({ path }) =>
      path === '/provider/items' ? new Response(null, { status: 503 }) : undefined
    const task = await start(server, learner, [video('a')])
    await eventually(async () => asksAbout(task.courseId).length > 1, 'the server asks again')
    expect((await show(server, learner, task)).status).toBe('running')
    outside.instead = () => undefined
    await reaches(server, learner, task, 'completed')
  })
})

test('a task keeps the provider of its plan when the server is configured for another one', async () => {
  const { env, remove } = await freshParts()
  const before = await startServer({ ...env, ...OUTSIDE }, { embeddedDatabase: undefined })
  const learner = await makeLearner(before, 'retry', 1)
  const task = await start(before, learner, [video('1', true, 500), video('2')])
  await eventually(async () => (await show(before, learner, task)).item_current_time > 0, 'the task plays')
  await before.close()
  const after = await startServer({ ...env, STUDY_RETRY_SECONDS: '1' }, { embeddedDatabase: undefined })
  await eventually(() => after.ctx.services.studyRunner.size === 1, 'the task goes on')
  expect((await act(after, learner, task, 'cancel')).status).toBe(200)
  const rows = await after.ctx.db
    .select()
    .from(courseProgress)
    .where(eq(courseProgress.userId, learner.user.id))
  expect(rows).toMatchObject([{ courseId: `outside:${task.courseId}`, itemId: '1', isReported: false }])
  await after.stop()
  await remove()
})
