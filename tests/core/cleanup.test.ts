/** What the schedule forgets, and what it must not: through the jobs themselves, in more than one statement each. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { agentFrames, agentRuns, channels, events, sessions } from '../../src/db/schema/index.ts'
import { api } from '../support/api.ts'
import { makeUser, unique } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { openLive } from '../support/sockets.ts'

const server = await startServer()
const { ctx } = server
const { scheduler } = ctx
afterAll(() => server.stop())

/** More than a statement deletes. */
const MANY = 5500

describe('trim_channel_events', () => {
  /** A channel with this many events, the last of them `hours` old. */
  async function channel(count: number, hours: number) {
    const someone = await makeUser(server)
    const userId = someone.user.id
    await ctx.db.delete(events).where(eq(events.userId, userId))
    await ctx.db
      .insert(channels)
      .values({ userId, lastSeq: count })
      .onConflictDoUpdate({ target: channels.userId, set: { lastSeq: count } })
    await ctx.db.execute(sql`
      insert into events (user_id, seq, type, data, at)
      select ${userId}, n, 'user.updated', '{"fields":[]}', now() - make_interval(hours => ${hours})
      from generate_series(1, ${count}) n`)
    const kept = async () => {
      const [row] = await ctx.db
        .select({ n: sql<number>`count(*)::int`, first: sql<number>`min(seq)::int` })
        .from(events)
        .where(eq(events.userId, userId))
      return row!
    }
    return { ...someone, kept }
  }

  test('forgets what is older than a day, but none of the last 1,000', async () => {
    const [old, young, few] = await Promise.all([
      channel(MANY + 1000, 25),
      channel(1200, 23),
      channel(900, 300),
    ])
    expect(await scheduler.runNow('trim_events')).toBeGreaterThanOrEqual(MANY)
    expect(await old.kept()).toEqual({ n: 1000, first: MANY + 1 })
    expect(await young.kept()).toEqual({ n: 1200, first: 1 })
    expect(await few.kept()).toEqual({ n: 900, first: 1 })
  })

  test('who comes back from before that is told to read everything anew', async () => {
    const { token, kept } = await channel(1100, 25)
    await scheduler.runNow('trim_events')
    expect(await kept()).toEqual({ n: 1000, first: 101 })
    const late = await openLive(server, token, { cursor: `${ctx.epoch}.50` })
    expect(await late.next('resync')).toMatchObject({ reason: 'expired', cursor: `${ctx.epoch}.1100` })
    late.close()
    const inTime = await openLive(server, token, { cursor: `${ctx.epoch}.100` })
    await inTime.until((frames) => frames.find((frame) => frame.cursor === `${ctx.epoch}.1100`))
    expect(inTime.events).toHaveLength(1000)
    inTime.close()
  })
})

test('trim_ended_sessions forgets sessions a day after their end, and no others', async () => {
  const { user, token } = await makeUser(server)
  const add = async (expires: string, revoked: string | null) => {
    const id = crypto.randomUUID()
    await ctx.db.execute(sql`
      insert into sessions (id, user_id, expires_at, revoked_at)
      values (${id}, ${user.id}, now() + ${expires}::interval, now() + ${revoked}::interval)`)
    return id
  }
  const [expired, revoked] = [await add('-25 hours', null), await add('20 days', '-25 hours')]
  const [justExpired, justRevoked] = [await add('-23 hours', null), await add('20 days', '-23 hours')]
  await ctx.db.execute(sql`
    insert into sessions (id, user_id, expires_at)
    select gen_random_uuid(), ${user.id}, now() - interval '2 days' from generate_series(1, ${MANY})`)
  expect(await scheduler.runNow('trim_sessions')).toBe(MANY + 2)
  const rows = await ctx.db.select({ id: sessions.id }).from(sessions).where(eq(sessions.userId, user.id))
  const ids = rows.map(({ id }) => id)
  expect(ids).toHaveLength(3)
  for (const id of [justExpired, justRevoked]) expect(ids).toContain(id)
  for (const id of [expired, revoked]) expect(ids).not.toContain(id)
  expect((await api(server, 'GET', '/api/users/me', { token })).status).toBe(200)
})

test('trim_agent_frames forgets how an answer came, a day after its end; what was said stays', async () => {
  const { token } = await makeUser(server)
  const say = async () => {
    const body = { message: unique('hello ') }
    const answer = await api(server, 'POST', '/api/v1/agent-chats', { token, body })
    return answer.body.session_id as string
  }
  const [old, young] = [await say(), await say()]
  const age = async (session: string, hours: number) => {
    await ctx.db.execute(sql`
      update agent_frames set at = at - make_interval(hours => ${hours}) where session_id = ${session}`)
    await ctx.db.execute(sql`
      update agent_runs set ended_at = ended_at - make_interval(hours => ${hours}) where session_id = ${session}`)
  }
  await age(old, 25)
  await age(young, 23)
  const [run] = await ctx.db.select().from(agentRuns).where(eq(agentRuns.sessionId, old))
  await ctx.db.execute(sql`
    insert into agent_frames (session_id, seq, run_id, event, at)
    select ${old}, 1000 + n, ${run!.id}, '{}', now() - interval '26 hours' from generate_series(1, ${MANY}) n`)
  expect(await scheduler.runNow('trim_agent_frames')).toBeGreaterThan(MANY)
  const frames = (session: string) => ctx.db.$count(agentFrames, eq(agentFrames.sessionId, session))
  expect(await frames(old)).toBe(0)
  expect(await frames(young)).toBeGreaterThan(2)
  const read = (session: string, accept: string) =>
    fetch(`${server.url}/api/v1/agent-chats/${session}`, {
      headers: { authorization: `Bearer ${token}`, accept },
    })
  const { messages } = (await (await read(old, 'application/json')).json()) as { messages: unknown[] }
  expect(messages).toHaveLength(2)
  // Nothing is left to stream, so the answer is 204 and no stream without an end.
  expect((await read(old, 'text/event-stream')).status).toBe(204)
  expect((await read(young, 'text/event-stream')).status).toBe(200)
})
