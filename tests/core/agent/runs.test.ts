/** What the database has of a run that could not be ended at first, and how many runs a user may have. */
import { afterAll, expect, test } from 'bun:test'
import { asc, eq, sql } from 'drizzle-orm'
import { userOfToken } from '../../../src/core/accounts/access-tokens.ts'
import { EventType, endsRun } from '../../../src/core/agent/ag-ui.ts'
import { readMessages } from '../../../src/core/agent/sessions.ts'
import { agentFrames, agentRuns, agentSessions } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { expectRun, textOf } from '../../support/chat.ts'
import { makeUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer()
const { ctx } = server
afterAll(() => server.stop())
const signedIn = async () => {
  const owner = await makeUser(server)
  const user = await userOfToken(ctx, owner.token)
  if (typeof user === 'string') throw new Error(user)
  return { ...actorOf(owner), ...user.principal }
}
const ask = { message: 'hello', language: 'en', timezone: 'UTC' } as const

test('a run whose end fails at first has failed: no number is missing or used twice, and its text is kept', async () => {
  await query(
    server,
    sql`create function refuse_end() returns trigger language plpgsql as $$ begin raise 'not now'; end $$`,
  )
  await query(
    server,
    sql`create trigger refuse_end before update on agent_runs for each row when (new.status = 'completed')
      execute function refuse_end()`,
  )
  try {
    const who = await signedIn()
    const { runId, sessionId, frames } = await ctx.services.agentRuns.start(who, ask)
    const rows = await eventually(async () => {
      const found = await ctx.db
        .select({ seq: agentFrames.seq, event: sql<string>`${agentFrames.event}::text` })
        .from(agentFrames)
        .where(eq(agentFrames.sessionId, sessionId))
        .orderBy(asc(agentFrames.seq))
      return endsRun(found.at(-1)!.event) && found
    }, 'the end of the run')
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1))
    const events = rows.map(({ event }) => JSON.parse(event))
    expectRun(events)
    expect(events[0]).toEqual(JSON.parse(frames[0]!.event))
    expect(events.at(-1)).toMatchObject({ type: EventType.RUN_ERROR, code: 'INTERNAL' })
    const [session] = await ctx.db.select().from(agentSessions).where(eq(agentSessions.id, sessionId))
    expect(session!.lastSeq).toBe(rows.length)
    const [run] = await ctx.db.select().from(agentRuns).where(eq(agentRuns.id, runId))
    expect(run).toMatchObject({ status: 'failed', error: 'INTERNAL' })
    expect(textOf(events)).not.toBe('')
    expect(await readMessages(ctx, sessionId)).toMatchObject([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: textOf(events) },
    ])
  } finally {
    await query(server, sql`drop trigger refuse_end on agent_runs`)
    await query(server, sql`drop function refuse_end`)
  }
})

test('a run that ends while the database is away for a moment keeps its answer', async () => {
  await query(server, sql`create sequence ends`)
  await query(
    server,
    sql`create function refuse_two_ends() returns trigger language plpgsql as $$
      begin
        if nextval('ends') <= 2 then raise 'too many connections' using errcode = '53300'; end if;
        return new;
      end $$`,
  )
  await query(
    server,
    sql`create trigger refuse_two_ends before update on agent_runs for each row when (new.status = 'completed')
      execute function refuse_two_ends()`,
  )
  try {
    const { runId, sessionId, firstSeq, frames } = await ctx.services.agentRuns.start(await signedIn(), ask)
    const events: string[] = []
    const ended = AbortSignal.timeout(30_000)
    for await (const { event } of ctx.services.agentFeed.follow(sessionId, firstSeq - 1, ended, frames)) {
      events.push(event)
      if (endsRun(event)) break
    }
    expectRun(events.map((event) => JSON.parse(event)))
    expect(events.at(-1)).toContain(EventType.RUN_FINISHED)
    const [run] = await ctx.db.select().from(agentRuns).where(eq(agentRuns.id, runId))
    expect(run).toMatchObject({ status: 'completed', error: null })
  } finally {
    await query(server, sql`drop trigger refuse_two_ends on agent_runs`)
    await query(server, sql`drop function refuse_two_ends`)
    await query(server, sql`drop sequence ends`)
  }
})

test('a user has ten runs at a time; the eleventh leaves nothing behind', async () => {
  const who = await signedIn()
  const startOne = () => ctx.services.agentRuns.start(who, ask)
  const sessions = () =>
    ctx.db.select({ id: agentSessions.id }).from(agentSessions).where(eq(agentSessions.userId, who.userId))
  const { sessionId } = await startOne()
  for (let i = 0; i < 10; i++) {
    const id = Bun.randomUUIDv7()
    await ctx.db.insert(agentSessions).values({ id, userId: who.userId, title: 't' })
    await ctx.db
      .insert(agentRuns)
      .values({ id: Bun.randomUUIDv7(), sessionId: id, status: 'running', firstSeq: 1 })
  }
  const before = await sessions()
  await expect(startOne()).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  await expect(ctx.services.agentRuns.start(who, { ...ask, sessionId })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
  })
  expect(await sessions()).toEqual(before)
  const other = await signedIn()
  expect((await ctx.services.agentRuns.start(other, ask)).firstSeq).toBe(1)
})
