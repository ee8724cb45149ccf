/** The lines of a task's log, live: docs/protocol.md, chapter 1. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { TaskLogFeed } from '../../../src/core/tasks/log-feed.ts'
import { addLogs } from '../../../src/core/tasks/logs.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { tasks } from '../../../src/db/schema/index.ts'
import { makeTask, makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, openLive, type TestSocket } from '../../support/sockets.ts'

const server = await startServer()
const { config } = server.ctx
/** Another server on the same database, where there may be one. */
const second = config.databaseUrl
  ? await startServer({ DATABASE_URL: config.databaseUrl, JWT_SECRET: 'x'.repeat(32) })
  : undefined
afterAll(async () => {
  await second?.stop()
  await server.stop()
})

let written = 0
const say = (taskId: number, count: number, at: Pick<typeof server, 'ctx'> = server) =>
  addLogs(
    at.ctx,
    Array.from({ length: count }, () => ({ taskId, attempt: 0, level: 'INFO', message: `${written++}` })),
  )
const linesOf = ({ frames }: TestSocket, from = 0): Frame[] =>
  frames.slice(from).filter(({ type }) => type === 'task_log')
const lastLine = (live: TestSocket) => live.next('task_log', ({ message }) => message === String(written - 1))

async function scene() {
  const owner = await makeUser(server)
  const task = await makeTask(server, owner)
  written = 0
  return { owner, task, live: await openLive(server, owner.token) }
}

describe('a subscriber of a task', () => {
  test('gets the lines that come from now on, in order, beside the progress', async () => {
    const { task, live } = await scene()
    await say(task.id, 5)
    live.send({ type: 'subscribe', topic: `task:${task.uuid}` })
    await live.next('task_update')
    for (let n = 0; n < 30; n++) await say(task.id, 10)
    await lastLine(live)
    const lines = linesOf(live)
    expect(lines.map(({ message }) => Number(message))).toEqual(Array.from({ length: 300 }, (_, n) => n + 5))
    expect(lines[0]).toEqual({
      type: 'task_log',
      task_id: task.uuid,
      position: expect.any(Number),
      attempt: 0,
      level: 'INFO',
      message: '5',
      at: expect.any(String),
    })
    live.close()
  })

  test('goes on from any position, by frame or by URL, and begins at the first line with 0', async () => {
    const { owner, task, live } = await scene()
    await say(task.id, 250)
    live.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: 0 })
    await lastLine(live)
    const all = linesOf(live)
    expect(all.map(({ message }) => Number(message))).toEqual(Array.from({ length: 250 }, (_, n) => n))
    // The same subscription again begins anew.
    const before = live.frames.length
    live.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: all[247]!.position })
    await live.next('task_log', ({ message }) => message === '249', before)
    expect(linesOf(live, before).map(({ message }) => message)).toEqual(['248', '249'])
    live.close()
    const back = await openLive(server, owner.token, {
      topics: `task:${task.id}`,
      log_position: all[99]!.position,
    })
    await say(task.id, 1)
    await lastLine(back)
    expect(linesOf(back).map(({ message }) => Number(message))).toEqual(
      Array.from({ length: 151 }, (_, n) => n + 100),
    )
    back.close()
  })

  test('by `subscribe_task` gets no lines', async () => {
    const { task, live } = await scene()
    live.send({ type: 'subscribe_task', task_id: task.id })
    await live.next('task_update')
    await say(task.id, 3)
    live.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: 0 })
    await lastLine(live)
    const from = live.frames.findIndex(({ type }) => type === 'subscribed')
    expect(live.frames.slice(0, from).map(({ type }) => type)).toEqual(['welcome', 'task_update'])
    live.close()
  })

  test('gets none after `unsubscribe`, and none of a task that is another user’s or gone', async () => {
    const { task, live, owner } = await scene()
    live.send({ type: 'subscribe', topic: `task:${task.id}` })
    await live.next('subscribed')
    live.send({ type: 'unsubscribe', topic: `task:${task.id}` })
    await live.next('unsubscribed')
    await say(task.id, 1)
    const other = await openLive(server, (await makeUser(server)).token)
    other.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: 0 })
    expect(await other.next('error')).toMatchObject({ code: 'NOT_FOUND' })
    for (const wrong of [-1, 1.5, '1', 2 ** 31]) {
      const from = other.frames.length
      other.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: wrong })
      expect(await other.next('error', undefined, from)).toMatchObject({ code: 'BAD_FRAME' })
    }
    await server.ctx.db.update(tasks).set({ userId: other.frames[0]!.user_id }).where(eq(tasks.id, task.id))
    live.send({ type: 'ping', id: 'last' })
    await live.next('pong')
    expect([linesOf(live), linesOf(other)]).toEqual([[], []])
    live.close()
    other.close()
    expect(owner.user.id).not.toBe(other.frames[0]!.user_id)
  })
})

test('lines of many writers at once: each reader gets every line once, in the order of positions', async () => {
  const { owner, task, live } = await scene()
  const servers = second ? [server, second] : [server]
  live.send({ type: 'subscribe', topic: `task:${task.id}`, log_position: 0 })
  await live.next('subscribed')
  const stop = new AbortController()
  const feed = new TaskLogFeed(servers.at(-1)!.ctx)
  const followed: number[] = []
  const following = (async () => {
    for await (const { id } of feed.follow(task.id, 0, stop.signal)) followed.push(id)
  })()
  const WRITERS = 8
  const ROUNDS = 15
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const { ctx } = servers[writer % servers.length]!
      for (let round = 0; round < ROUNDS; round++) {
        const line = { taskId: task.id, attempt: 0, level: 'INFO', message: `${writer} ${round}` }
        // Every third writer is a transaction that goes on after its lines got their positions.
        const write = () =>
          writer % 3 > 0
            ? addLogs(ctx, [line])
            : transaction(ctx, async (tx) => {
                const held = await addLogs(tx, [line])
                await tx.db.execute('select pg_sleep(0.003)')
                return held
              })
        while ((await write()).length > 0) await Bun.sleep(1)
      }
    }),
  )
  await live.until(
    (frames) => frames.filter(({ type }) => type === 'task_log').length >= WRITERS * ROUNDS || undefined,
  )
  const seen = linesOf(live)
  expect(new Set(seen.map(({ message }) => message)).size).toBe(WRITERS * ROUNDS)
  const positions = seen.map(({ position }) => position)
  expect(positions).toEqual(positions.toSorted((a, b) => a - b))
  while (followed.length < positions.length) await Bun.sleep(10)
  stop.abort()
  await following
  feed.close()
  expect(followed).toEqual(positions)
  expect(owner.user.id).toBeGreaterThan(0)
  live.close()
})

// The embedded database has one connection.
test.skipIf(!second)('no line becomes visible while an earlier position is not yet', async () => {
  const { task } = await scene()
  await transaction(server.ctx, async (tx) => {
    await addLogs(tx, [{ taskId: task.id, attempt: 0, level: 'INFO', message: 'first' }])
    expect(await say(task.id, 1, second)).toEqual([task.id])
  })
  expect(await say(task.id, 1, second)).toEqual([])
  const lines = new TaskLogFeed(server.ctx).follow(task.id, 0, new AbortController().signal)
  expect((await lines.next()).value).toMatchObject({ message: 'first' })
  expect((await lines.next()).value).toMatchObject({ message: '1' })
  await lines.return()
})

test('a reader that does not ask for more holds one page, and reads on from where it was', async () => {
  const { task } = await scene()
  await say(task.id, 350)
  let reads = 0
  const { db, bus, log } = server.ctx
  const feed = new TaskLogFeed({ db, bus, log, config })
  const counting = feed as unknown as { read: (...args: unknown[]) => unknown }
  const { read } = counting
  counting.read = (...args) => {
    reads++
    return read.apply(feed, args)
  }
  const stop = new AbortController()
  const lines = feed.follow(task.id, 0, stop.signal)
  expect((await lines.next()).value).toMatchObject({ message: '0' })
  await say(task.id, 10)
  expect(reads).toBe(1)
  for (let n = 1; n < 360; n++) expect((await lines.next()).value).toMatchObject({ message: String(n) })
  expect(reads).toBe(4)
  stop.abort()
  expect((await lines.next()).done).toBe(true)
  feed.close()
})
