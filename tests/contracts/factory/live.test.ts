/** The channel without a WebSocket: pages, long poll and server-sent events. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { appendEvents } from '../../../src/core/channel/log.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { api } from '../../support/api.ts'
import { EventReader } from '../../support/event-stream.ts'
import { makeTask, makeUser, signInAgain, type TestUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const { hub } = ctx.live

const emit = (owner: TestUser, ...fields: string[]) =>
  transaction(ctx, async (tx) => {
    for (const field of fields) tx.emit(owner.user.id, 'user.updated', { fields: [field] })
  })
const get = (token: string, query: Record<string, string | number> = {}, headers = {}) =>
  api(server, 'GET', `/api/events?${new URLSearchParams(query as Record<string, string>)}`, {
    token,
    headers,
  })
const stream = (token: string, query: Record<string, string> = {}, headers = {}) =>
  EventReader.open(`${server.url}/api/events?${new URLSearchParams(query)}`, {
    authorization: `Bearer ${token}`,
    ...headers,
  })
const ticket = async ({ token }: TestUser) =>
  (await api(server, 'POST', '/api/ws/ticket', { token })).body.data
const cursorAt = (seq: number | string) => `${ctx.epoch}.${seq}`
const fieldsOf = (events: { data: { fields: string[] } }[]) => events.flatMap(({ data }) => data.fields)
/** The number of a user's requests that wait for events. */
const countWaiting = ({ user }: TestUser) =>
  // biome-ignore lint/complexity/useLiteralKeys: private
  [...hub['readers']].filter(({ signedIn }) => signedIn.principal.userId === user.id).length
const untilWaiting = (owner: TestUser, count: number) =>
  eventually(
    () => countWaiting(owner) === count,
    () => `${count} wait, but ${countWaiting(owner)}`,
  )
/** Writes an event as another server would, without a hint to this one. */
const emitSilently = (owner: TestUser, field: string) =>
  ctx.db.transaction((db) =>
    appendEvents(db, [{ userId: owner.user.id, type: 'user.updated', data: { fields: [field] } }]),
  )

describe('a page', () => {
  test('has the same events as a socket, from the cursor of a ticket on', async () => {
    const owner = await makeUser(server)
    await emit(owner, 'before')
    const { cursor, ticket: once } = await ticket(owner)
    expect(cursor).toBe(cursorAt(1))
    await makeTask(server, owner)
    await emit(owner, 'after')
    const live = await openLive(server, '', { ticket: once, cursor })
    await live.next('user.updated')
    const { status, body } = await get(owner.token, { cursor })
    expect(status).toBe(200)
    expect(body).toEqual({ events: live.events, cursor: cursorAt(3), has_more: false, resync: null })
    live.close()
  })

  test('ends at its limit and says so; the last one is empty and keeps the cursor', async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server)]
    await emit(owner, 'a', 'b', 'c')
    await emit(other, 'x')
    const seen: string[] = []
    let cursor = cursorAt(0)
    for (const expected of [true, false, false]) {
      const { body } = await get(owner.token, { cursor, limit: 2 })
      seen.push(...fieldsOf(body.events))
      expect(body.has_more).toBe(expected)
      cursor = body.cursor
    }
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(cursor).toBe(cursorAt(3))
  })

  test('without a cursor begins now', async () => {
    const owner = await makeUser(server)
    expect((await get(owner.token)).body).toEqual({
      events: [],
      cursor: cursorAt(0),
      has_more: false,
      resync: null,
    })
    await emit(owner, 'a')
    expect((await get(owner.token)).body).toMatchObject({ events: [], cursor: cursorAt(1) })
  })

  test.each([
    ['another epoch', () => 'abc.1', 'epoch'],
    ['a time to come', () => cursorAt(6), 'unknown'],
    ['a time far from now', () => cursorAt('999999999999999'), 'unknown'],
    ['what the log has forgotten', () => cursorAt(1), 'expired'],
  ])('a cursor of %s is answered with a new one', async (_, cursor, resync) => {
    const owner = await makeUser(server)
    await emit(owner, 'a', 'b', 'c', 'd', 'e')
    await ctx.db.execute(sql`delete from events where user_id = ${owner.user.id} and seq <= 3`)
    for (const wait of [0, 5]) {
      const { status, body } = await get(owner.token, { cursor: cursor(), wait })
      expect(status).toBe(200)
      expect(body).toEqual({ events: [], cursor: cursorAt(5), has_more: false, resync })
    }
    const kept = await get(owner.token, { cursor: cursorAt(3) })
    expect(fieldsOf(kept.body.events)).toEqual(['d', 'e'])
    await ctx.db.execute(sql`delete from events where user_id = ${owner.user.id}`)
    expect((await get(owner.token, { cursor: cursorAt(4) })).body.resync).toBe('expired')
    expect((await get(owner.token, { cursor: cursorAt(5) })).body.resync).toBeNull()
  })

  test.each([
    { cursor: '' },
    { cursor: 'x' },
    { cursor: 'x.' },
    { cursor: 'x.-1' },
    { cursor: 'x.1.2' },
    { cursor: `x.${'1'.repeat(16)}` },
    { cursor: `${'x'.repeat(70)}.1` },
    { limit: 0 },
    { limit: 501 },
    { limit: 'ten' },
    { wait: -1 },
    { wait: 31 },
    { wait: 1.5 },
  ])('%j is refused', async (query) => {
    const { token } = await makeUser(server)
    const { status, body } = await get(token, query as Record<string, string>)
    expect(status).toBe(422)
    expect(body).toMatchObject({ success: false, error_code: 'VALIDATION_ERROR' })
    expect(Object.keys(body.details.field_errors)).toEqual(Object.keys(query))
  })

  test('needs a sign-in', async () => {
    expect((await api(server, 'GET', '/api/events')).status).toBe(401)
    const anonymous = await EventReader.open(`${server.url}/api/events`, {})
    expect(anonymous.response.status).toBe(401)
  })
})

describe('a long poll', () => {
  test('is answered when something happens, or with nothing when its time is up', async () => {
    const owner = await makeUser(server)
    const polled = get(owner.token, { cursor: cursorAt(0), wait: 30 })
    await untilWaiting(owner, 1)
    await emit(owner, 'a')
    expect(fieldsOf((await polled).body.events)).toEqual(['a'])
    const empty = await get(owner.token, { cursor: cursorAt(1), wait: 1 })
    expect(empty.body).toEqual({ events: [], cursor: cursorAt(1), has_more: false, resync: null })
    expect(countWaiting(owner)).toBe(0)
  })

  test('does not wait for what is there already', async () => {
    const owner = await makeUser(server)
    await emit(owner, 'a')
    const { body } = await get(owner.token, { cursor: cursorAt(0), wait: 30 })
    expect(fieldsOf(body.events)).toEqual(['a'])
  })

  test('hears of what another server did, without a look of its own at the database', async () => {
    const owner = await makeUser(server)
    const polls = Array.from({ length: 10 }, () => get(owner.token, { cursor: cursorAt(0), wait: 30 }))
    await untilWaiting(owner, 10)
    const select = spyOn(ctx.db, 'select')
    await Bun.sleep(2500)
    // The queries of the server itself. Ten requests that poll would need many more.
    expect(select.mock.calls.length).toBeLessThan(40)
    select.mockRestore()
    await emitSilently(owner, 'far')
    for (const { body } of await Promise.all(polls)) expect(fieldsOf(body.events)).toEqual(['far'])
  })

  test('ends with its session, and only that one', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const [ends, stays] = [owner, other].map(({ token }) => get(token, { cursor: cursorAt(0), wait: 30 }))
    await untilWaiting(owner, 2)
    await api(server, 'POST', '/api/v1/auth/logout', { token: owner.token })
    // The end of the session is an event, and the last one that requests of this session may get.
    const told = [{ type: 'session.revoked' }]
    expect((await stays!).body.events).toMatchObject(told)
    const { status, body } = await ends!
    if (status !== 401) expect(body.events).toMatchObject(told)
    expect((await get(owner.token, { cursor: cursorAt(0) })).status).toBe(401)
  })

  test('there are twenty of a user at most; those whose client is gone do not count', async () => {
    const owner = await makeUser(server)
    const stop = new AbortController()
    const url = `${server.url}/api/events?wait=30`
    const headers = { authorization: `Bearer ${owner.token}` }
    const polls = Array.from({ length: 18 }, () => fetch(url, { headers, signal: stop.signal }))
    const streams = [await stream(owner.token), await stream(owner.token)]
    await untilWaiting(owner, 20)
    for (const accept of ['application/json', 'text/event-stream']) {
      const refused = await get(owner.token, { wait: 30 }, { accept })
      expect([refused.status, refused.body.error_code]).toEqual([429, 'RATE_LIMIT_EXCEEDED'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    // A request without `wait` does not wait.
    expect((await get(owner.token)).status).toBe(200)
    expect((await get((await makeUser(server)).token, { wait: 1 })).status).toBe(200)
    stop.abort()
    for (const one of streams) one.close()
    await Promise.allSettled(polls)
    await untilWaiting(owner, 0)
  })
})

describe('a stream', () => {
  test('sends what was missed and what happens, each with its cursor as id', async () => {
    const owner = await makeUser(server)
    await emit(owner, 'a', 'b')
    const reader = await stream(owner.token, { cursor: cursorAt(1) })
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    await reader.until(({ events }) => events.length === 1)
    await emit(owner, 'c')
    await emitSilently(owner, 'd')
    await reader.until(({ events }) => events.length === 3)
    expect(reader.blocks[0]).toEqual({ id: cursorAt(1), retry: expect.any(Number) })
    expect(fieldsOf(reader.events.map(({ data }) => data))).toEqual(['b', 'c', 'd'])
    for (const { id, data } of reader.events) expect(data.cursor).toBe(id)
    const page = await get(owner.token, { cursor: cursorAt(1) })
    expect(reader.events.map(({ data }) => data)).toEqual(page.body.events)
    reader.close()
    await untilWaiting(owner, 0)
  })

  test('goes on from Last-Event-ID, which wins over the cursor in the URL; without both it begins now', async () => {
    const owner = await makeUser(server)
    await emit(owner, 'a', 'b', 'c')
    const resumed = await stream(owner.token, { cursor: cursorAt(0) }, { 'last-event-id': cursorAt(2) })
    const fresh = await stream(owner.token)
    await fresh.until(({ blocks }) => blocks.length === 1)
    expect(fresh.blocks[0]!.id).toBe(cursorAt(3))
    await emit(owner, 'd')
    await resumed.until(({ events }) => events.length === 2)
    await fresh.until(({ events }) => events.length === 1)
    expect(fieldsOf(resumed.events.map(({ data }) => data))).toEqual(['c', 'd'])
    resumed.close()
    fresh.close()
    const refused = await get(owner.token, {}, { accept: 'text/event-stream', 'last-event-id': 'x' })
    expect(refused.status).toBe(422)
  })

  test('says that it can’t go on from a cursor, and goes on from now', async () => {
    const owner = await makeUser(server)
    await emit(owner, 'a')
    const reader = await stream(owner.token, { cursor: 'abc.1' })
    await reader.until(({ events }) => events.length === 1)
    // No id comes before the resync, so that a client that disconnects before it gets the resync again.
    expect(reader.blocks).toEqual([
      { retry: expect.any(Number) },
      { id: cursorAt(1), data: { type: 'resync', cursor: cursorAt(1), reason: 'epoch' } },
    ])
    await emit(owner, 'b')
    await reader.until(({ events }) => events.length === 2)
    reader.close()
  })

  test('sends more than a page', async () => {
    const owner = await makeUser(server)
    const fields = Array.from({ length: 130 }, (_, i) => String(i))
    await emit(owner, ...fields)
    const reader = await stream(owner.token, { cursor: cursorAt(0) })
    await reader.until(({ events }) => events.length === 130)
    expect(fieldsOf(reader.events.map(({ data }) => data))).toEqual(fields)
    reader.close()
  })

  test('ends with its session, and with its token', async () => {
    const owner = await makeUser(server)
    const { sessionId } = (await ctx.tokens.verify(owner.token))!
    const expiresAt = Math.floor(Date.now() / 1000) + 3
    const short = await ctx.tokens.sign({ userId: owner.user.id, sessionId, expiresAt })
    const [expires, revoked] = [await stream(short), await stream(owner.token)]
    await expires.until(({ ended }) => ended)
    expect(revoked.ended).toBe(false)
    await api(server, 'POST', '/api/v1/auth/logout', { token: owner.token })
    await revoked.until(({ ended }) => ended)
    await untilWaiting(owner, 0)
  })
})

test('a server that stops ends them: a poll with an answer, a stream with the time to come back', async () => {
  const stopping = await startServer()
  try {
    const owner = await makeUser(stopping)
    const headers = { authorization: `Bearer ${owner.token}` }
    const reader = await EventReader.open(`${stopping.url}/api/events`, headers)
    await reader.until(({ blocks }) => blocks.length === 1)
    const polled = api(stopping, 'GET', '/api/events?wait=30', { token: owner.token })
    // biome-ignore lint/complexity/useLiteralKeys: private
    await eventually(() => stopping.ctx.live.hub['readers'].size === 2, 'both wait')
    await stopping.drain()
    expect((await polled).body).toMatchObject({ events: [], has_more: false })
    await reader.until(({ ended }) => ended)
    const { data, retry } = reader.blocks.at(-1)!
    expect(data).toEqual({ type: 'draining', reconnect_after_ms: retry })
  } finally {
    await stopping.stop()
  }
})
