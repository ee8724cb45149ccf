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
import { type AgentFrame, runStarted } from './ag-ui.ts'
import { readsAsYes } from './consent.ts'
import { agentFramesHint } from './hints.ts'
import { type AgentMessage, lockOwnSession, readMessages } from './sessions.ts'

const MAX_RUNS_PER_USER = 10
const TITLE_LENGTH = 60
/** Messages of a session that a model gets. */
const HISTORY_ROWS = 200

/** How and where the user asks. */
export interface Asking {
  language: Language
  /** The user's time zone, as an IANA name. */
  timezone: string
  /** What the user's application tells the model. */
  background?: string
}

export interface Ask extends Asking {
  message: string
  sessionId?: string | undefined
}

/** What the user says to begin a run. */
export interface Said {
  message: string
  /** The id that the client gave the message. */
  clientId?: string | undefined
  /** Whether it confirms the call that waits for the user. */
  confirmed: boolean
  /** Whether the message is the answer to the question alone, so that a model that has the call's result does not need it. */
  isWhole: boolean
}

export interface RunStart extends Required<Asking> {
  runId: string
  sessionId: string
  who: Actor
  message: string
  clientId: string | undefined
  /** The messages before it, oldest first. */
  past: AgentMessage[]
  /** The call that waited for the user's confirmation, and whether the user gave it. */
  confirmation: (ToolCall & Pick<Said, 'confirmed' | 'isWhole'>) | undefined
  /** The number of its first frame. */
  firstSeq: number
  /** The frames that are stored already. */
  frames: AgentFrame[]
}

/** @throws AppError NOT_FOUND, RUN_IN_PROGRESS, RATE_LIMITED */
export async function startRun(ctx: Context, who: Actor, ask: Ask): Promise<RunStart> {
  const { message, sessionId } = ask
  const said: Said = { message, confirmed: readsAsYes(message), isWhole: true }
  const start =
    sessionId === undefined
      ? await startInNewSession(ctx, who, ask, said)
      : await startInSession(ctx, who, sessionId, ask, () => said)
  if (!start) throw tooManyRuns()
  return start
}

/**
 * One statement is enough, because a new session has no messages and no run that could be in progress.
 * @returns undefined when the user has too many runs, or the session exists
 */
export async function startInNewSession(
  ctx: Context,
  who: Actor,
  asking: Asking,
  said: Said,
  id: string = Bun.randomUUIDv7(),
): Promise<RunStart | undefined> {
  const start = newRun(who, asking, said, { id, lastSeq: 0 })
  const values = {
    ...rowsOf(start),
    userId: who.userId,
    title: cutText(said.message.replace(/\s+/g, ' ').trim(), TITLE_LENGTH),
  }
  const stored = await singleStatement(ctx, async (db) => {
    const rows = await insertSessionAndRun(db).execute(values)
    return { result: rows.length > 0, event: undefined }
  })
  return stored ? start : undefined
}

/**
 * @param say what the user says, from the messages so far and the call that waits for a confirmation; undefined: nothing
 * @returns undefined when the user says nothing
 * @throws AppError NOT_FOUND, RUN_IN_PROGRESS, RATE_LIMITED
 */
export const startInSession = (
  ctx: Context,
  who: Actor,
  id: string,
  asking: Asking,
  say: (past: AgentMessage[], waiting: WaitingCall | undefined) => Said | undefined,
): Promise<RunStart | undefined> =>
  transaction(ctx, async (tx) => {
    const session = await lockOwnSession(tx, who, id)
    const [past, running, [waiting]] = await Promise.all([
      readMessages(tx, session.id, HISTORY_ROWS),
      runningOfUser(tx.db).execute({ userId: who.userId }),
      waitingCall(tx.db).execute({ sessionId: session.id }),
    ])
    const said = say(past, waiting)
    if (!said) return undefined
    if (running.some(({ sessionId }) => sessionId === session.id)) throw new AppError('RUN_IN_PROGRESS')
    if (running.length === MAX_RUNS_PER_USER) throw tooManyRuns()
    const start = newRun(who, asking, said, session)
    commitWithNext(tx.db)
    await insertRun(tx.db).execute(rowsOf(start))
    tx.afterCommit(() => tx.bus.publish(agentFramesHint, [{ sessionId: session.id, frames: start.frames }]))
    const confirmation = waiting && {
      id: waiting.toolCallId,
      name: waiting.tool,
      input: isJsonObject(waiting.input) ? waiting.input : {},
      confirmed: said.confirmed,
      isWhole: said.isWhole,
    }
    return { ...start, past, confirmation }
  })

function newRun(
  who: Actor,
  { language, timezone, background = '' }: Asking,
  { message, clientId }: Said,
  session: { id: string; lastSeq: number },
): RunStart {
  const runId = Bun.randomUUIDv7()
  const firstSeq = session.lastSeq + 1
  return {
    runId,
    sessionId: session.id,
    who,
    message,
    clientId,
    past: [],
    confirmation: undefined,
    firstSeq,
    frames: [{ seq: firstSeq, runId, event: JSON.stringify(runStarted(session.id, runId)) }],
    language,
    timezone,
    background,
  }
}

export const tooManyRuns = () =>
  new AppError('RATE_LIMITED', { params: { seconds: 10, limit: MAX_RUNS_PER_USER } })

/** The values for `runRows`. */
const rowsOf = ({ runId, sessionId, language, message, clientId, frames }: RunStart) => ({
  runId,
  sessionId,
  language,
  messageId: Bun.randomUUIDv7(),
  message,
  clientId: clientId ?? null,
  event: frames[0]!.event,
})

/** The rows of a new run of the `session` that the statement has selected or inserted. */
const runRows = sql`
  run as (
    insert into agent_runs (id, session_id, status, first_seq, language)
    select ${sql.placeholder('runId')}::uuid, id, 'running', last_seq + 1, ${sql.placeholder('language')}::text
    from session
  ), message as (
    insert into agent_messages (id, session_id, run_id, role, content, client_id)
    select ${sql.placeholder('messageId')}::uuid, id, ${sql.placeholder('runId')}::uuid, 'user',
      ${sql.placeholder('message')}::text, ${sql.placeholder('clientId')}::text
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

/** Inserts nothing when the user has too many runs, or the session exists. */
const insertSessionAndRun = preparedSql<{ id: string }>(
  'insert_agent_session',
  sql`
    with running as (${runningRuns}), session as (
      insert into agent_sessions (id, user_id, title)
      select ${sql.placeholder('sessionId')}::uuid, ${sql.placeholder('userId')}::int, ${sql.placeholder('title')}::text
      where (select count(*) from running) < ${sql.raw(String(MAX_RUNS_PER_USER))}
      on conflict (id) do nothing
      returning id, last_seq
    ), ${runRows}
    select id from session`,
)

/** A call that waits for the user's confirmation. */
export interface WaitingCall {
  toolCallId: string
  tool: string
  input: unknown
}

export const waitingCall = preparedSql<WaitingCall>(
  'waiting_agent_call',
  sql`
    select tool_call_id as "toolCallId", tool, input from agent_confirmations
    where session_id = ${sql.placeholder('sessionId')}::uuid`,
)

/** Also ends the wait for the user's confirmation: the message is the answer. */
const insertRun = preparedSql(
  'insert_agent_run',
  sql`
    with session as (
      select id, last_seq from agent_sessions where id = ${sql.placeholder('sessionId')}::uuid
    ), ${runRows}
    delete from agent_confirmations where session_id = ${sql.placeholder('sessionId')}::uuid`,
)
