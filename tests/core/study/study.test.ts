/** Study tasks from their start to their end: docs/contracts/study.md, "Study tasks". */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { progressOf, recordProgress } from '../../../src/core/courses/progress.ts'
import { bury } from '../../../src/core/study/lease.ts'
import { studyHint } from '../../../src/core/tasks/hints.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { courseProgress, materials, studySettings, tasks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeCourse, recordStudied } from '../../support/courses.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer({ STUDY_RETRY_SECONDS: '1' })
afterAll(() => server.stop())
const { ctx } = server
const editor = await makeUser(server, { role: 'editor' })

const video = (durationSeconds: number, title = 'video') => ({ title, durationSeconds })
const pages = (pages: number, title = 'pages') =>
  ({ title, type: 'pdf', fileFormat: 'pdf', durationSeconds: null, pages }) as const

async function learner(settings: Partial<typeof studySettings.$inferInsert> = {}): Promise<TestUser> {
  const user = await makeUser(server)
  await ctx.db.insert(studySettings).values({ userId: user.user.id, speed: 100, ...settings })
  return user
}

async function makeStudy(user: TestUser, ...courseIds: string[]) {
  return makeTask(server, user, { kind: 'study', courseIds })
}

const act = (user: TestUser, task: { id: number }, verb: string) =>
  api(server, 'POST', `/api/tasks/${task.id}/${verb}`, { token: user.token })
const show = async (user: TestUser, task: { id: number }) =>
  (await api(server, 'GET', `/api/tasks/${task.id}`, { token: user.token })).body
const reaches = (user: TestUser, task: { id: number }, status: string) =>
  eventually(async () => {
    const shown = await show(user, task)
    return shown.status === status && shown
  }, `the task is ${status}`)

describe('a task', () => {
  test('plays its items one after the other, and says so in events, updates and its log', async () => {
    const user = await learner()
    const { courseId } = await makeCourse(server, editor, [video(30, 'A'), pages(1, 'B')])
    const task = await makeStudy(user, courseId)
    const live = await openLive(server, user.token)
    live.send({ type: 'subscribe_task', task_id: task.id })
    expect((await live.next('task_update')).data).toEqual({
      progress: 0,
      current_item: '',
      item_progress: 0,
      item_current_time: 0,
      item_total_time: 0,
    })
    const started = await act(user, task, 'start')
    expect(started.status).toBe(200)
    expect(started.body).toMatchObject({ id: task.id, status: 'running', item_total_time: 30 })
    const done = await reaches(user, task, 'completed')
    expect(done).toMatchObject({
      progress: 100,
      current_item: '📄 B',
      item_current_time: 60,
      item_progress: 100,
    })
    expect(done.logs.map((line: { message: string }) => line.message)).toEqual([
      '任务开始：共 2 项，其中 0 项已完成，倍速 100',
      '当前任务: 🎬 A',
      '当前任务: 📄 B',
      '全部内容已完成',
    ])
    const last = await live.next('task_update', ({ data }) => data.progress === 100)
    expect(last).toEqual({
      type: 'task_update',
      task_id: task.id,
      data: {
        progress: 100,
        current_item: '📄 B',
        item_progress: 100,
        item_current_time: 60,
        item_total_time: 60,
      },
    })
    await live.next('task.completed')
    expect(live.events.map(({ type }) => type)).toEqual(['task.started', 'task.completed'])
    live.close()
  })

  test('takes as long as its items do at its speed', async () => {
    const user = await learner()
    const { courseId } = await makeCourse(server, editor, [video(40), video(40), video(40), video(40)])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    const { started_at, completed_at } = await reaches(user, task, 'completed')
    const ms = Date.parse(completed_at) - Date.parse(started_at)
    expect(ms).toBeGreaterThanOrEqual(1599)
  })
})

test('a watcher sees the clock of the item move, at most twice a second', async () => {
  const user = await learner({ speed: 10 })
  const { courseId } = await makeCourse(server, editor, [video(600)])
  const task = await makeStudy(user, courseId)
  await act(user, task, 'start')
  const live = await openLive(server, user.token)
  live.send({ type: 'subscribe_task', task_id: task.uuid })
  const updates = () => live.frames.filter(({ type }) => type === 'task_update')
  await live.next('task_update')
  const firstAt = performance.now()
  await live.until(() => (updates().length >= 4 ? true : undefined))
  expect(performance.now() - firstAt).toBeGreaterThan(900)
  const seconds = updates().map(({ data }) => data.item_current_time)
  expect(seconds).toEqual(seconds.toSorted((a, b) => a - b))
  expect(seconds.at(-1)).toBeGreaterThan(seconds[0])
  expect(updates().every(({ task_id }) => task_id === task.uuid)).toBe(true)
  await act(user, task, 'pause')
  const paused = await show(user, task)
  await live.next('task_update', ({ data }) => data.item_current_time === paused.item_current_time)
  live.close()
})

describe('a task begins where the learner is', () => {
  test('it leaves out what is finished, and goes on in the middle of an item', async () => {
    const user = await learner({ speed: 1 })
    const { courseId, itemIds } = await makeCourse(server, editor, [video(50), video(100, 'B'), video(50)])
    const userId = user.user.id
    await recordProgress(ctx, [
      { provider: 'built_in', userId, courseId, itemId: itemIds[0]!, position: 50, isDone: true },
      { provider: 'built_in', userId, courseId, itemId: itemIds[1]!, position: 40, isDone: false },
    ])
    const task = await makeStudy(user, courseId)
    const started = await act(user, task, 'start')
    expect(started.body.current_item).toBe('🎬 B')
    expect(started.body.progress).toBeCloseTo(45, 0)
    expect(started.body.item_current_time).toBe(40)
    const { body } = await act(user, task, 'pause')
    expect(body.item_current_time).toBeLessThan(60)
  })

  test('nothing is left: it is completed at once', async () => {
    const user = await learner()
    const { courseId, itemIds } = await makeCourse(server, editor, [video(50)])
    await recordStudied(server, user, { courseId, itemId: itemIds[0]!, position: 50, isDone: true })
    const task = await makeStudy(user, courseId, courseId)
    await act(user, task, 'start')
    expect(await reaches(user, task, 'completed')).toMatchObject({ progress: 100, current_item: '' })
  })

  test('a course without items is completed at once', async () => {
    const user = await learner()
    const { courseId } = await makeCourse(server, editor, [])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    await reaches(user, task, 'completed')
  })
})

describe('an item that is not open', () => {
  const closed = { title: 'closed', durationSeconds: null }

  test('retry: the task waits, says so, and plays it when it opens', async () => {
    const user = await learner({ notOpenAction: 'retry' })
    const { courseId, itemIds } = await makeCourse(server, editor, [closed])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    const waiting = await eventually(async () => {
      const shown = await show(user, task)
      return shown.current_item.startsWith('⏳') && shown
    }, 'the task waits')
    expect(waiting).toMatchObject({ status: 'running', current_item: '⏳ 🎬 closed', item_total_time: 0 })
    expect(waiting.logs.at(-1)).toMatchObject({
      level: 'WARNING',
      message: '🎬 closed 尚未开放，至少每 1 秒重试一次',
    })
    await ctx.db
      .update(materials)
      .set({ durationSeconds: 20 })
      .where(eq(materials.id, Number(itemIds[0])))
    const { logs } = await reaches(user, task, 'completed')
    expect(logs.map((line: { message: string }) => line.message).slice(2)).toEqual([
      '当前任务: 🎬 closed',
      '全部内容已完成',
    ])
  })

  test('skip: the task goes on with the next item', async () => {
    const user = await learner({ notOpenAction: 'skip' })
    const { courseId, itemIds } = await makeCourse(server, editor, [closed, closed, video(10, 'B'), closed])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    const { logs, current_item } = await reaches(user, task, 'completed')
    expect(current_item).toBe('🎬 B')
    const skipped = '🎬 closed 尚未开放，已跳过'
    expect(logs.map((line: { message: string }) => line.message).slice(1)).toEqual([
      skipped,
      skipped,
      '当前任务: 🎬 B',
      skipped,
      '全部内容已完成',
    ])
    const done = (await progressOf(ctx, user.user.id, [courseId])).map(({ itemId }) => itemId)
    expect(done).toEqual([itemIds[2]!])
  })

  test('stop: the task fails and says which item', async () => {
    const user = await learner({ notOpenAction: 'stop' })
    const { courseId } = await makeCourse(server, editor, [video(10), closed])
    const task = await makeStudy(user, courseId)
    const live = await openLive(server, user.token)
    await act(user, task, 'start')
    const failed = await reaches(user, task, 'failed')
    expect(failed.error_message).toBe('🎬 closed 尚未开放，任务按 notopen_action 的设置停止')
    expect(failed.data.failure_code).toBe('item_not_open')
    expect(failed.logs.at(-1)).toMatchObject({ level: 'ERROR', message: failed.error_message })
    const event = await live.next('task.failed')
    expect(event.data).toMatchObject({ status: 'failed', failure_code: 'item_not_open', cost: 0 })
    const [progress] = await progressOf(ctx, user.user.id, [courseId])
    expect(progress).toMatchObject({ position: 10, isDone: true })
    live.close()
  })
})

describe('a user stops a task', () => {
  test('pause keeps the place, resume goes on from it at the new speed', async () => {
    const user = await learner({ speed: 10 })
    const { courseId, itemIds } = await makeCourse(server, editor, [video(600, 'A'), video(10, 'B')])
    const task = await makeStudy(user, courseId)
    const live = await openLive(server, user.token)
    await act(user, task, 'start')
    await eventually(async () => (await show(user, task)).item_current_time > 2, 'the task plays')
    const paused = (await act(user, task, 'pause')).body
    expect(paused).toMatchObject({ status: 'paused', current_item: '🎬 A', item_total_time: 600 })
    const [recorded] = await progressOf(ctx, user.user.id, [courseId])
    expect(recorded).toMatchObject({ itemId: itemIds[0]!, isDone: false })
    expect(Math.floor(recorded!.position)).toBe(paused.item_current_time)
    await ctx.db.update(studySettings).set({ speed: 1000 }).where(eq(studySettings.userId, user.user.id))
    const resumed = (await act(user, task, 'resume')).body
    expect(resumed.item_current_time).toBeGreaterThanOrEqual(paused.item_current_time)
    await reaches(user, task, 'completed')
    await live.next('task.completed')
    const events = live.events.map(({ type, data }) => `${type} ${data.attempt}`)
    expect(events).toEqual(['task.started 1', 'task.paused 1', 'task.resumed 2', 'task.completed 2'])
    live.close()
  })

  test('cancel records how far the learner came, and retry begins there', async () => {
    const user = await learner({ speed: 10 })
    const { courseId } = await makeCourse(server, editor, [video(600)])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    await eventually(async () => (await show(user, task)).item_current_time > 2, 'the task plays')
    const cancelled = (await act(user, task, 'cancel')).body
    expect(cancelled).toMatchObject({ status: 'cancelled', item_total_time: 600 })
    expect(cancelled.progress).toBeGreaterThan(0)
    const [recorded] = await progressOf(ctx, user.user.id, [courseId])
    expect(recorded!.position).toBeGreaterThan(2)
    expect((await act(user, task, 'retry')).body).toMatchObject({
      status: 'pending',
      progress: 0,
      current_item: '',
      item_total_time: 0,
    })
    const again = (await act(user, task, 'start')).body
    expect(again.item_current_time).toBeGreaterThanOrEqual(Math.floor(recorded!.position))
    expect((await act(user, task, 'cancel')).status).toBe(200)
    expect((await api(server, 'DELETE', `/api/tasks/${task.id}`, { token: user.token })).status).toBe(200)
  })

  test('a task that waits can be cancelled', async () => {
    const user = await learner()
    const { courseId } = await makeCourse(server, editor, [{ durationSeconds: null }])
    const task = await makeStudy(user, courseId)
    await act(user, task, 'start')
    await act(user, task, 'cancel')
    expect((await show(user, task)).status).toBe('cancelled')
  })
})

describe('refused', () => {
  test('by the state of the task: 409', async () => {
    const user = await learner({ speed: 1 })
    const { courseId } = await makeCourse(server, editor, [video(600)])
    const task = await makeStudy(user, courseId)
    const refused = async (...verbs: string[]) => {
      for (const verb of verbs) {
        const { status, body } = await act(user, task, verb)
        expect([verb, status, body.error_code]).toEqual([verb, 409, 'INVALID_STATE'])
      }
    }
    await refused('pause', 'resume', 'retry')
    await act(user, task, 'start')
    await refused('start', 'resume', 'retry')
    expect((await api(server, 'DELETE', `/api/tasks/${task.id}`, { token: user.token })).status).toBe(409)
    await act(user, task, 'pause')
    await refused('start', 'pause', 'retry')
    await act(user, task, 'cancel')
    await refused('start', 'pause', 'resume', 'cancel')
  })

  test('a GPU task: 409 with the reason', async () => {
    const user = await learner()
    const task = await makeTask(server, user)
    for (const verb of ['start', 'pause', 'resume']) {
      const { status, body } = await act(user, task, verb)
      expect([status, body.error_code]).toEqual([409, 'INVALID_STATE'])
      expect(body.message).toContain('GPU')
    }
  })

  test('a course that does not exist: 404 that names it, and the task stays', async () => {
    const user = await learner()
    const { courseId } = await makeCourse(server, editor)
    const task = await makeStudy(user, courseId, '99999')
    const { status, body } = await act(user, task, 'start')
    expect([status, body.message]).toEqual([404, '课程 99999 不存在，任务没有开始'])
    expect(body.details).toEqual({ course: '99999' })
    expect((await show(user, task)).status).toBe('pending')
  })

  test("another user's task, and one that does not exist: 404", async () => {
    const user = await learner()
    const task = await makeStudy(user, '1')
    const stranger = await learner()
    for (const verb of ['start', 'pause', 'resume']) {
      expect((await act(stranger, task, verb)).status).toBe(404)
      expect((await act(user, { id: 987_654 }, verb)).status).toBe(404)
    }
  })
})

test('two requests that start one task at once: one starts it', async () => {
  const user = await learner({ speed: 1 })
  const { courseId } = await makeCourse(server, editor, [video(600)])
  const task = await makeStudy(user, courseId)
  const answers = await Promise.all([1, 2, 3, 4].map(() => act(user, task, 'start')))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
  const { body } = await act(user, task, 'cancel')
  expect(body.data.status).toBe('cancelled')
})

test('an administrator starts the task of a user with the settings of that user', async () => {
  const user = await learner({ speed: 7 })
  const admin = await makeUser(server, { role: 'admin' })
  const { courseId } = await makeCourse(server, editor, [video(600)])
  const task = await makeStudy(user, courseId)
  const { body } = await act(admin, task, 'start')
  expect(body.logs[0].message).toContain('倍速 7')
  await act(admin, task, 'cancel')
})

test('a user who is deleted while a task plays: the task ends, and nothing of the user is stored any more', async () => {
  const before = ctx.services.studyRunner.size
  const user = await learner({ speed: 10 })
  const admin = await makeUser(server, { role: 'super_admin' })
  const { courseId } = await makeCourse(server, editor, [video(6), video(600)])
  const task = await makeStudy(user, courseId)
  await act(user, task, 'start')
  expect(ctx.services.studyRunner.size).toBe(before + 1)
  const path = `/api/admin/users/${user.user.id}`
  expect((await api(server, 'DELETE', path, { token: admin.token })).status).toBe(200)
  await eventually(() => ctx.services.studyRunner.size === before, 'the server has dropped the task')
  await eventually(async () => (await ctx.db.$count(tasks, eq(tasks.userId, user.user.id))) === 0, 'no task')
  const learned = () => ctx.db.$count(courseProgress, eq(courseProgress.userId, user.user.id))
  await eventually(async () => (await learned()) === 0, 'no progress')
})

test('more tasks than one look takes, which nobody can take, do not keep the others waiting', async () => {
  const [user, other] = [await learner({ speed: 1 }), await learner()]
  const { courseId } = await makeCourse(server, editor, [video(600)])
  await ctx.db.execute(sql`
    with made as (
      insert into tasks (uuid, user_id, kind, title, status, attempt)
      select gen_random_uuid(), ${other.user.id}, 'study', 'held', 'paused', 1 from generate_series(1, 1200)
      returning id
    )
    insert into study_runs (task_id, items, speed, phase) select id, '[]', 1, 'waiting' from made`)
  const task = await makeStudy(user, courseId)
  await act(user, task, 'start')
  await ctx.db.execute(
    sql`update study_runs set runner_id = null, revision = revision + 1 where task_id = ${task.id}`,
  )
  await ctx.db.execute(sql`update tasks set attempt = attempt + 1 where id = ${task.id}`)
  ctx.bus.publish(studyHint, { type: 'free' })
  const attempt = async () =>
    (await ctx.db.select({ attempt: tasks.attempt }).from(tasks).where(eq(tasks.id, task.id)))[0]!.attempt
  await eventually(async () => (await attempt()) === 3, 'the server takes the task')
  await act(user, task, 'cancel')
  await ctx.db.execute(sql`delete from tasks where user_id = ${other.user.id}`)
})

// The embedded database has one connection, so that no lock is ever in the way.
test.skipIf(!ctx.config.databaseUrl)(
  'a lock on a task of a dead server does not hold up this one',
  async () => {
    const user = await learner()
    const task = await makeStudy(user, '1')
    const dead = { id: Bun.randomUUIDv7(), beatMs: 1000, ageMs: 0 }
    await ctx.db.execute(sql`insert into study_runners (id, beat_ms) values (${dead.id}, ${dead.beatMs})`)
    await ctx.db.execute(sql`insert into study_runs (task_id, items, speed, phase, runner_id)
    values (${task.id}, '[]', 1, 'waiting', ${dead.id})`)
    const runnerOf = async () =>
      (
        await ctx.db.execute<{ id: string | null }>(
          sql`select runner_id as id from study_runs where task_id = ${task.id}`,
        )
      )[0]!.id
    await transaction(ctx, async (tx) => {
      await tx.db.execute(sql`select from study_runs where task_id = ${task.id} for update`)
      expect(await bury(ctx, dead)).toBe(false)
    })
    expect(await runnerOf()).toBe(dead.id)
    expect(await bury(ctx, dead)).toBe(true)
    expect(await runnerOf()).toBeNull()
    await ctx.db.execute(sql`delete from study_runs where task_id = ${task.id}`)
  },
)
