import { eq, sql } from 'drizzle-orm'
import {
  agentConfirmations,
  agentFrames,
  agentMessages,
  agentRuns,
  agentSessions,
} from '../../db/schema/index.ts'
import type { ToolCall } from '../../model/model.ts'
import type { Context, Tx } from '../context.ts'
import { transaction } from '../transaction.ts'
import type { Frame } from './ag-ui.ts'
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
  frames: Frame[]
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
  const [run] = await tx.db.select().from(agentRuns).where(eq(agentRuns.id, runId)).for('update')
  if (run?.status !== 'running') throw new RunLost()
  await tx.db
    .update(agentRuns)
    .set({ status, error: error ?? null, endedAt: sql`now()` })
    .where(eq(agentRuns.id, runId))
  await tx.db
    .insert(agentFrames)
    .values(frames.map(({ seq, event }) => ({ sessionId, seq, runId, event: sql`${event}::text::json` })))
  const messages = transcript.messages.filter(({ content, toolCalls }) => content !== '' || toolCalls)
  if (messages.length > 0) {
    await tx.db.insert(agentMessages).values(
      messages.map(({ id, role, content, toolCalls, toolCallId }) => ({
        id,
        sessionId,
        runId,
        role,
        content,
        toolCalls: toolCalls ?? null,
        toolCallId: toolCallId ?? null,
      })),
    )
  }
  if (confirmation) {
    const { id: toolCallId, name: tool, input } = confirmation
    await tx.db.insert(agentConfirmations).values({ sessionId, toolCallId, tool, input })
  }
  const [session] = await tx.db
    .update(agentSessions)
    .set({ lastSeq: frames.at(-1)!.seq, updatedAt: sql`now()` })
    .where(eq(agentSessions.id, sessionId))
    .returning({ userId: agentSessions.userId })
  tx.emit(session!.userId, 'agent.run_finished', {
    sessionId,
    runId,
    status,
    error: error ?? null,
  })
  tx.afterCommit(() => tx.bus.publish(agentFramesHint, [{ sessionId, frames }]))
}
