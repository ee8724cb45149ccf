/** Starts runs. The row of a run, the user's message and the first frame are stored together. */
import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { commitWithNext } from '../../db/statements.ts'
import type { ToolCall } from '../../model/model.ts'
import { cutText } from '../../util/cut.ts'
import { isJsonObject } from '../../util/json.ts'
import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Language } from '../messages.ts'
import { singleStatement, transaction } from '../transaction.ts'
import { type AgentEvent, type AgentFrame, EventType } from './ag-ui.ts'
import { readsAsYes } from './consent.ts'
import { agentFramesHint } from './hints.ts'
import { type AgentMessage, lockOwnSession, readMessages } from './sessions.ts'

const MAX_RUNS_PER_USER = 10
const TITLE_LENGTH = 60
/** Messages of a session that a model gets. */
const HISTORY_ROWS = 200

export interface Ask {
  message: string
  sessionId?: string | undefined
  language: Language
  /** The user's time zone, as an IANA name. */
  timezone: string
}

export interface RunStart {
  runId: string
  sessionId: string
  who: Actor
  message: string
  /** The messages before it, oldest first. */
  past: AgentMessage[]
  /** The call that waited for the user's confirmation, and whether the user gave it. */
  confirmation: (ToolCall & { confirmed: boolean }) | undefined
  /** The number of its first frame. */
  firstSeq: number
  /** The frames that are stored already. */
  frames: AgentFrame[]
  language: Language
  timezone: string
}

/** @throws AppError NOT_FOUND, RUN_IN_PROGRESS, RATE_LIMITED */
export const startRun = (ctx: Context, who: Actor, ask: Ask): Promise<RunStart> =>
  ask.sessionId === undefined
    ? startInNewSession(ctx, who, ask)
    : startInSession(ctx, who, ask, ask.sessionId)

/** One statement is enough, because a new session has no messages and no run that could be in progress. */
async function startInNewSession(ctx: Context, who: Actor, ask: Ask): Promise<RunStart> {
  const start = newRun(who, ask, { id: Bun.randomUUIDv7(), lastSeq: 0 })
  const values = {
    ...rowsOf(start),
    userId: who.userId,
    title: cutText(ask.message.replace(/\s+/g, ' ').trim(), TITLE_LENGTH),
  }
  const stored = await singleStatement(ctx, async (db) => {
    const rows = await insertSessionAndRun(db).execute(values)
    return { result: rows.length > 0, event: undefined }
  })
  if (!stored) throw tooManyRuns()
  return start
}

const startInSession = (ctx: Context, who: Actor, ask: Ask, id: string): Promise<RunStart> =>
  transaction(ctx, async (tx) => {
    const session = await lockOwnSession(tx, who, id)
    const [past, running] = await Promise.all([
      readMessages(tx, session.id, HISTORY_ROWS),
      runningOfUser(tx.db).execute({ userId: who.userId }),
    ])
    if (running.some(({ sessionId }) => sessionId === session.id)) throw new AppError('RUN_IN_PROGRESS')
    if (running.length === MAX_RUNS_PER_USER) throw tooManyRuns()
    const start = newRun(who, ask, session)
    commitWithNext(tx.db)
    const [asked] = await insertRun(tx.db).execute(rowsOf(start))
    tx.afterCommit(() => tx.bus.publish(agentFramesHint, [{ sessionId: session.id, frames: start.frames }]))
    const confirmation = asked && {
      id: asked.toolCallId,
      name: asked.tool,
      input: isJsonObject(asked.input) ? asked.input : {},
      confirmed: readsAsYes(ask.message),
    }
    return { ...start, past, confirmation }
  })

function newRun(
  who: Actor,
  { message, language, timezone }: Ask,
  session: { id: string; lastSeq: number },
): RunStart {
  const runId = Bun.randomUUIDv7()
  const firstSeq = session.lastSeq + 1
  const started: AgentEvent = { type: EventType.RUN_STARTED, threadId: session.id, runId }
  return {
    runId,
    sessionId: session.id,
    who,
    message,
    past: [],
    confirmation: undefined,
    firstSeq,
    frames: [{ seq: firstSeq, runId, event: JSON.stringify(started) }],
    language,
    timezone,
  }
}

const tooManyRuns = () => new AppError('RATE_LIMITED', { params: { seconds: 10, limit: MAX_RUNS_PER_USER } })

/** The values for `runRows`. */
const rowsOf = ({ runId, sessionId, language, message, frames }: RunStart) => ({
  runId,
  sessionId,
  language,
  messageId: Bun.randomUUIDv7(),
  message,
  event: frames[0]!.event,
})

/** The rows of a new run of the `session` that the statement has selected or inserted. */
const runRows = sql`
  run as (
    insert into agent_runs (id, session_id, status, first_seq, language)
    select ${sql.placeholder('runId')}::uuid, id, 'running', last_seq + 1, ${sql.placeholder('language')}::text
    from session
  ), message as (
    insert into agent_messages (id, session_id, run_id, role, content)
    select ${sql.placeholder('messageId')}::uuid, id, ${sql.placeholder('runId')}::uuid, 'user',
      ${sql.placeholder('message')}::text
    from session
  ), frame as (
    insert into agent_frames (session_id, seq, run_id, event)
    select id, last_seq + 1, ${sql.placeholder('runId')}::uuid, ${sql.placeholder('event')}::text::json
    from session
  )`

const runningRuns = sql`
  select r.session_id as "sessionId" from agent_runs r join agent_sessions s on s.id = r.session_id
  where s.user_id = ${sql.placeholder('userId')}::int and r.status = 'running'
  limit ${sql.raw(String(MAX_RUNS_PER_USER))}`

const runningOfUser = preparedSql<{ sessionId: string }>('running_agent_runs', runningRuns)

/** Inserts nothing when the user has too many runs. */
const insertSessionAndRun = preparedSql<{ id: string }>(
  'insert_agent_session',
  sql`
    with running as (${runningRuns}), session as (
      insert into agent_sessions (id, user_id, title)
      select ${sql.placeholder('sessionId')}::uuid, ${sql.placeholder('userId')}::int, ${sql.placeholder('title')}::text
      where (select count(*) from running) < ${sql.raw(String(MAX_RUNS_PER_USER))}
      returning id, last_seq
    ), ${runRows}
    select id from session`,
)

/** Also ends the wait for the user's confirmation: the message is the answer. */
const insertRun = preparedSql<{ toolCallId: string; tool: string; input: unknown }>(
  'insert_agent_run',
  sql`
    with session as (
      select id, last_seq from agent_sessions where id = ${sql.placeholder('sessionId')}::uuid
    ), ${runRows}, asked as (
      delete from agent_confirmations where session_id = ${sql.placeholder('sessionId')}::uuid
      returning tool_call_id, tool, input
    )
    select tool_call_id as "toolCallId", tool, input from asked`,
)
