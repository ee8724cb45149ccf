import { and, eq, sql } from 'drizzle-orm'
import { agentConfirmations, agentMessages, agentRuns, agentSessions } from '../../db/schema/index.ts'
import type { ToolCall } from '../../model/model.ts'
import type { Context, Tx } from '../context.ts'
import { transaction } from '../transaction.ts'
import type { AgentFrame } from './ag-ui.ts'
import { RunLost } from './frame-log.ts'
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

/** {@link endRun} in a transaction of its own. */
export async function finishRun(ctx: Context, run: RunKey, end: RunEnd): Promise<void> {
  await transaction(ctx, (tx) => endRun(tx, run, end))
}

/**
 * Ends a run, and stores its last frames, its messages and its event in the same transaction.
 * @throws RunLost when another server has ended it
 */
export async function endRun(
  tx: Tx,
  { runId, sessionId }: RunKey,
  { status, error, frames, transcript, confirmation }: RunEnd,
): Promise<void> {
  const ended = await tx.db
    .update(agentRuns)
    .set({ status, error: error ?? null, endedAt: sql`now()` })
    .where(and(eq(agentRuns.id, runId), eq(agentRuns.status, 'running')))
    .returning({ id: agentRuns.id })
  if (ended.length === 0) throw new RunLost()
  const messages = transcript.messages
    .filter(({ content, toolCalls }) => content !== '' || toolCalls)
    .map(({ id, role, content, toolCalls, toolCallId }) => ({
      id,
      sessionId,
      runId,
      role,
      content,
      toolCalls: toolCalls ?? null,
      toolCallId: toolCallId ?? null,
    }))
  // The driver sends these together.
  const [[session]] = await Promise.all([
    tx.db
      .update(agentSessions)
      .set({ lastSeq: frames.at(-1)!.seq, updatedAt: sql`now()` })
      .where(eq(agentSessions.id, sessionId))
      .returning({ userId: agentSessions.userId }),
    insertFrames(tx, sessionId, runId, frames),
    messages.length > 0 && tx.db.insert(agentMessages).values(messages),
    confirmation &&
      tx.db.insert(agentConfirmations).values({
        sessionId,
        toolCallId: confirmation.id,
        tool: confirmation.name,
        input: confirmation.input,
      }),
  ])
  tx.emit(session!.userId, 'agent.run_finished', {
    sessionId,
    runId,
    status,
    error: error ?? null,
  })
  tx.afterCommit(() => tx.bus.publish(agentFramesHint, [{ sessionId, frames }]))
}

/** One text for any number of frames, so that the statement stays prepared. */
const insertFrames = (tx: Tx, sessionId: string, runId: string, frames: AgentFrame[]) =>
  tx.db.execute(sql`
    insert into agent_frames (session_id, seq, run_id, event)
    select ${sessionId}::uuid, seq, ${runId}::uuid, event::json
    from json_to_recordset(${JSON.stringify(frames)}::text::json) as x(seq bigint, event text)`)
