/** A conversation as it is now, for a client that may have none of it: the messages, and how its stream goes on. */

import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import type { Language } from '../messages.ts'
import { message } from '../messages.ts'
import { type AgentEvent, type AgentFrame, EventType, endsRun } from './ag-ui.ts'
import { confirmationInterrupt } from './consent.ts'
import { faultText, type RunFault } from './faults.ts'
import { waitingCall } from './run-start.ts'
import { type AgentMessage, type AgentRun, findOwnSession, latestRun, readMessages } from './sessions.ts'
import { Transcript, type TranscriptMessage } from './transcript.ts'

export interface Thread {
  messages: (AgentMessage | TranscriptMessage)[]
  /** The run that is under way. */
  running?: {
    sessionId: string
    runId: string
    /** The number of the last frame whose message is among the messages. */
    seq: number
    /** The stored frames after it. */
    frames: AgentFrame[]
  }
  /** How the newest run ended, when none is under way. */
  end: AgentEvent
}

/** @returns an empty thread when the user has none of this id */
export async function readThread(
  ctx: Context,
  who: Principal,
  threadId: string,
  language: Language,
): Promise<Thread> {
  const finished = { type: EventType.RUN_FINISHED, threadId, runId: '' } as const
  const success: AgentEvent = { ...finished, outcome: { type: 'success' } }
  const session = await findOwnSession(ctx, who, threadId)
  if (!session) return { messages: [], end: success }
  const run = await latestRun(ctx, session.id)
  const [messages, [waiting]] = await Promise.all([
    readMessages(ctx, session.id),
    waitingCall(ctx.db).execute({ sessionId: session.id }),
  ])
  if (run?.status === 'running') return { ...(await withRunning(ctx, messages, run)), end: success }
  if (run?.status === 'cancelled') return { messages, end: { ...finished, outcome: { type: 'cancelled' } } }
  if (run?.status === 'failed') {
    const code = run.error as RunFault
    return {
      messages,
      end: { type: EventType.RUN_ERROR, message: message(faultText(code), language), code },
    }
  }
  if (!waiting) return { messages, end: success }
  // The last thing that the server said is the question.
  const interrupts = [confirmationInterrupt(waiting.toolCallId, messages.at(-1)?.content ?? '')]
  return { messages, end: { ...finished, outcome: { type: 'interrupt', interrupts } } }
}

/**
 * The messages of a run are stored when it ends; until then they are in its frames. What is open now stays in the frames, so that
 * the stream begins it once more, as a whole.
 */
async function withRunning(
  ctx: Context,
  stored: AgentMessage[],
  { id: runId, sessionId, firstSeq }: AgentRun,
): Promise<Omit<Thread, 'end'>> {
  const frames = await ctx.services.agentFeed.stored(sessionId, firstSeq - 1)
  const transcript = new Transcript()
  let closed = 0
  for (const [i, { event }] of frames.entries()) {
    if (endsRun(event)) break
    transcript.apply(JSON.parse(event) as AgentEvent)
    if (transcript.isClosed) closed = i + 1
  }
  const said = new Transcript()
  for (const { event } of frames.slice(0, closed)) said.apply(JSON.parse(event) as AgentEvent)
  return {
    messages: [
      ...stored.filter((one) => one.runId !== runId || one.role === 'user'),
      ...said.messages.filter(({ content, toolCalls }) => content !== '' || toolCalls),
    ],
    running: { sessionId, runId, seq: firstSeq - 1 + closed, frames: frames.slice(closed) },
  }
}
