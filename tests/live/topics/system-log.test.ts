/** The log of all servers, live: docs/protocol.md, chapter 1. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SystemLogFeed } from '../../../src/core/logs/feed.ts'
import { SystemLog } from '../../../src/core/logs/system-log.ts'
import { Metrics } from '../../../src/core/metrics.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { makeUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import { type Frame, openLive, type TestSocket } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const { db, config, services } = server.ctx
const topic = 'system:log'

/** The log of another server on the same database. */
function openLog(name: string) {
  const log = createLogger('debug', { write: () => {} })
  const stored = new SystemLog({ db, config, log, metrics: new Metrics() })
  Object.assign(stored, { server: name })
  return { log, flush: () => stored.flush(), close: () => stored.close() }
}

async function follower(): Promise<TestSocket> {
  const { token } = await makeUser(server, { role: 'admin' })
  const live = await openLive(server, token)
  live.send({ type: 'subscribe', topic })
  await live.next('subscribed')
  return live
}

const linesOf = ({ frames }: TestSocket): Frame[] => frames.filter(({ type }) => type === 'system_log')
const line = (live: TestSocket, message: string) => live.next('system_log', (f) => f.message === message)
const timerOf = (feed: SystemLogFeed) => (feed as unknown as { timer: unknown }).timer

describe('a follower', () => {
  test('gets the lines of all servers, each once, from the subscription on', async () => {
    const [a, b] = [openLog('a:1'), openLog('b:2')]
    a.log.info('before the subscription')
    await a.flush()
    const live = await follower()
    a.log.warn({ part: 'bus', ms: 3 }, 'first of a')
    b.log.info('first of b')
    await Promise.all([a.flush(), b.flush()])
    await Promise.all([line(live, 'first of a'), line(live, 'first of b')])
    // A second follower shares the polls.
    const late = await follower()
    // Stored late: newer lines have been sent.
    const before = new Date(Date.now() - 10_000).toISOString()
    await query(
      server,
      sql`insert into system_logs (at, server, debug_lines, info_lines, warning_lines, error_lines, critical_lines, body)
        values (${before}::timestamptz, 'c:3', 0, 0, 0, 1, 0,
          ${Bun.zstdCompressSync(`{"level":50,"time":"${before}","msg":"late"}\n`)})`,
    )
    for (let n = 0; n < 3; n++) {
      b.log.debug({ n }, `more ${n}`)
      await b.flush()
    }
    await Promise.all([live, late].map((one) => Promise.all([line(one, 'more 2'), line(one, 'late')])))
    const seen = linesOf(live)
    expect(seen.find(({ message }) => message === 'first of a')).toEqual({
      type: 'system_log',
      id: expect.stringMatching(/^\d+-0$/),
      at: expect.any(String),
      level: 'WARNING',
      message: 'first of a',
      server: 'a:1',
      fields: { part: 'bus', ms: 3 },
    })
    expect(seen.map(({ message, server }) => `${server} ${message}`).toSorted()).toEqual([
      'a:1 first of a',
      'b:2 first of b',
      'b:2 more 0',
      'b:2 more 1',
      'b:2 more 2',
      'c:3 late',
    ])
    expect(new Set(seen.map(({ id }) => id)).size).toBe(6)
    expect(linesOf(late).length).toBe(4)
    live.close()
    late.close()
    await Promise.all([a.close(), b.close()])
  })

  test('gets the newest of a flood, and a line that says how many are missing', async () => {
    const { log, flush, close } = openLog('flood:1')
    const live = await follower()
    for (let n = 0; n < 1000; n++) log.info(`line ${n}`)
    log.error({ fill: 'x'.repeat(20_000) }, 'a long line')
    await flush()
    const last = await line(live, 'a long line')
    expect(last).toMatchObject({ level: 'ERROR', fields: { omitted: expect.any(Number) } })
    expect(last.fields).not.toContainKey('fill')
    const [notice, ...sent] = linesOf(live)
    expect(notice).toMatchObject({ level: 'WARNING', fields: { missing: 1001 - sent.length } })
    expect(sent.length).toBeWithin(100, 301)
    expect(sent.map(({ message }) => message)).toEqual([
      ...Array.from({ length: sent.length - 1 }, (_, n) => `line ${n + 1001 - sent.length}`),
      'a long line',
    ])
    live.close()
    await close()
  })

  test('who does not read costs a bounded number of lines, and learns how many are missing', async () => {
    const feed = new SystemLogFeed(server.ctx)
    const poll = () => (feed as unknown as { poll(): Promise<void> }).poll()
    const { log, flush, close } = openLog('slow:1')
    await feed.begin()
    const stop = new AbortController()
    const lines = feed.follow(stop.signal)
    const first = lines.next()
    let written = 0
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 250; n++) log.info(`line ${written++}`)
      await flush()
      await poll()
    }
    expect((await first).value).toMatchObject({ message: 'line 0' })
    expect((await lines.next()).value).toMatchObject({ fields: { missing: 499 } })
    for (let n = 500; n < written; n++)
      expect((await lines.next()).value).toMatchObject({ message: `line ${n}` })
    stop.abort()
    expect((await lines.next()).done).toBe(true)
    await close()
  })
})

test('nothing is read while nobody follows', async () => {
  const feed = services.systemLogFeed
  const [live, other] = [await follower(), await follower()]
  expect(timerOf(feed)).toBeDefined()
  live.send({ type: 'unsubscribe', topic })
  await live.next('unsubscribed')
  other.close()
  while (timerOf(feed)) await Bun.sleep(5)
  live.close()
})

test('a poll that fails loses no line', async () => {
  const feed = new SystemLogFeed(server.ctx)
  const poll = () => (feed as unknown as { poll(): Promise<void> }).poll()
  const { log, flush, close } = openLog('fault:1')
  await feed.begin()
  const stop = new AbortController()
  const lines = feed.follow(stop.signal)
  const next = lines.next()
  log.info('kept')
  await flush()
  const execute = spyOn(db, 'execute').mockRejectedValueOnce(new Error('it is away') as never)
  await poll()
  expect(execute).toHaveBeenCalled()
  execute.mockRestore()
  await poll()
  expect((await next).value).toMatchObject({ message: 'kept' })
  stop.abort()
  await lines.next()
  await close()
})

describe('it is refused', () => {
  test.each(['user', 'editor'] as const)('to a user whose role is %s', async (role) => {
    const live = await openLive(server, (await makeUser(server, { role })).token)
    live.send({ type: 'subscribe', topic, id: 7 })
    expect(await live.next('error')).toMatchObject({ code: 'NOT_FOUND', topic, id: 7 })
    live.close()
  })

  test('where the log is not stored', async () => {
    const keep = config.logKeepDays
    Object.assign(config, { logKeepDays: 0 })
    const live = await openLive(server, (await makeUser(server, { role: 'admin' })).token)
    live.send({ type: 'subscribe', topic })
    expect(await live.next('error')).toMatchObject({ code: 'LOG_NOT_STORED', topic })
    Object.assign(config, { logKeepDays: keep })
    live.close()
  })
})
