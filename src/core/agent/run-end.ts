import { sql } from 'drizzle-orm'
import { isUnavailable } from '../../db/errors.ts'
import { preparedSql } from '../../db/prepared.ts'
import type { ToolCall } from '../../model/model.ts'
import { type EventColumns, eventColumns, eventOf, withEvent } from '../channel/log.ts'
import type { Context, Tx } from '../context.ts'
import { singleStatement } from '../transaction.ts'
import type { AgentFrame } from './ag-ui.ts'
import { GIVE_UP_MS, RETRY_MS, RunLost } from './frame-log.ts'
import { agentFramesHint } from './hints.ts'
import type { Transcript } from './transcript.ts'

interface RunKey {
  runId: string
  sessionId: string
}

export interface RunEnd {
  status: 'completed' | 'failed' | 'cancelled'
  /** A code, when it failed. */
  error?: string
  /** The last frames, which are not stored yet. */
  frames: AgentFrame[]
  transcript: Transcript
  /** The call that waits for the user's confirmation. */
  confirmation?: ToolCall | undefined
}

/**
 * Ends a run, and stores its last frames, its messages and its event in the same statement.
 * @throws RunLost when another server has ended it, or the answer to the commit was lost; or the database's error
 */
export async function finishRun(ctx: Context, run: RunKey, end: RunEnd): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    try {
      return await finishOnce(ctx, run, end)
    } catch (error) {
      if (!isUnavailable(error) || performance.now() - startedAt > GIVE_UP_MS) throw error
      await Bun.sleep(RETRY_MS)
    }
  }
}

async function finishOnce(ctx: Context, run: RunKey, end: RunEnd): Promise<void> {
  const type = 'agent.run_finished'
  const event = JSON.stringify(ctx.presentEvent(type, finished(run, end)))
  await singleStatement(ctx, async (db) => {
    const [row] = await endWithEvent(db).execute({ ...valuesOf(run, end), event })
    if (!row) throw new RunLost()
    return { result: undefined, event: eventOf(row, { userId: row.userId, type }) }
  })
  publishFrames(ctx, run, end)
}

/** The same in a transaction, for a sweep, which limits the wait for locks. @throws RunLost */
export async function endRun(tx: Tx, run: RunKey, end: RunEnd): Promise<void> {
  const [session] = await endInTransaction(tx.db).execute(valuesOf(run, end))
  if (!session) throw new RunLost()
  tx.emit(session.userId, 'agent.run_finished', finished(run, end))
  tx.afterCommit(() => publishFrames(tx, run, end))
}

/** What the event says. */
const finished = ({ runId, sessionId }: RunKey, { status, error }: RunEnd) => ({
  sessionId,
  runId,
  status,
  error: error ?? null,
})

const publishFrames = ({ bus }: Context, { sessionId }: RunKey, { frames }: RunEnd) =>
  bus.publish(agentFramesHint, [{ sessionId, frames }])

const valuesOf = ({ runId }: RunKey, { status, error, frames, transcript, confirmation }: RunEnd) => ({
  runId,
  status,
  error: error ?? null,
  lastSeq: frames.at(-1)!.seq,
  frames: JSON.stringify(frames),
  messages: JSON.stringify(
    transcript.messages.filter(({ content, toolCalls }) => content !== '' || toolCalls),
  ),
  confirmations: JSON.stringify(confirmation ? [confirmation] : []),
})

/** Changes nothing when the run has ended already. Locks the run before its session. */
const endRows = sql`
    with ended as (
      update agent_runs
      set status = ${sql.placeholder('status')}::text, error = ${sql.placeholder('error')}::text, ended_at = now()
      where id = ${sql.placeholder('runId')}::uuid and status = 'running'
      returning id, session_id
    ), session as (
      update agent_sessions s set last_seq = ${sql.placeholder('lastSeq')}::bigint, updated_at = now()
      from ended where s.id = ended.session_id
      returning s.id, s.user_id, ended.id as run_id
    ), frames as (
      insert into agent_frames (session_id, seq, run_id, event)
      select s.id, f.seq, s.run_id, f.event::json
      from session s, json_to_recordset(${sql.placeholder('frames')}::text::json) as f(seq bigint, event text)
    ), messages as (
      insert into agent_messages (id, session_id, run_id, role, content, tool_calls, tool_call_id)
      select m.id, s.id, s.run_id, m.role, m.content, m.tool_calls, m.tool_call_id
      from session s, rows from (
        json_to_recordset(${sql.placeholder('messages')}::text::json)
          as (id uuid, role text, content text, "toolCalls" jsonb, "toolCallId" text)
      ) with ordinality as m(id, role, content, tool_calls, tool_call_id, n)
      order by m.n
    ), confirmations as (
      insert into agent_confirmations (session_id, tool_call_id, tool, input)
      select s.id, c.id, c.name, c.input
      from session s, json_to_recordset(${sql.placeholder('confirmations')}::text::json)
        as c(id text, name text, input jsonb)
    )`

const endInTransaction = preparedSql<{ userId: number }>(
  'end_agent_run',
  sql`${endRows} select user_id as "userId" from session`,
)

const endWithEvent = preparedSql<EventColumns & { userId: number }>(
  'finish_agent_run',
  sql`
    ${endRows}, ${withEvent('session', sql`'agent.run_finished'`, sql.placeholder('event'))}
    select session.user_id as "userId", ${eventColumns} from session, event`,
)
