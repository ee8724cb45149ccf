/** The streams of AG-UI's clients. Their first and last event name the thread and the run as the client does. */
import {
  type AgentEvent,
  type AgentFrame,
  EventType,
  endsRun,
  runStarted,
} from '../../../core/agent/ag-ui.ts'
import type { Thread } from '../../../core/agent/thread.ts'
import type { ServerSentEvent } from '../../../http/sse.ts'
import { presentMessages } from './presenters.ts'

/** The names that the client gave. */
export interface Names {
  threadId: string
  runId: string
}

/** A run that the client has started. The id of an event is the number of its frame. */
export async function* runEvents(
  frames: AsyncIterable<AgentFrame>,
  runId: string,
  names: Names,
): AsyncGenerator<ServerSentEvent, void> {
  for await (const frame of frames) {
    yield { id: frame.seq, data: named(frame.event, names) }
    if (frame.runId === runId && endsRun(frame.event)) return
  }
}

/** What the conversation has, and the rest of the answer that is under way. */
export async function* threadEvents(
  { messages, running, end }: Thread,
  follow: (running: NonNullable<Thread['running']>) => AsyncIterable<AgentFrame>,
  names: Names,
): AsyncGenerator<ServerSentEvent, void> {
  const snapshot: AgentEvent = { type: EventType.MESSAGES_SNAPSHOT, messages: presentMessages(messages) }
  yield { data: JSON.stringify(runStarted(names.threadId, names.runId)) }
  yield { data: JSON.stringify(snapshot) }
  if (running) yield* runEvents(follow(running), running.runId, names)
  else yield { data: named(JSON.stringify(end), names) }
}

const BOUNDARY = [EventType.RUN_STARTED, EventType.RUN_FINISHED].map((type) => `{"type":"${type}"`)

/** Only the first and the last event of a run are parsed, not each piece of the answer. */
const named = (event: string, names: Names): string =>
  BOUNDARY.some((start) => event.startsWith(start))
    ? JSON.stringify({ ...(JSON.parse(event) as AgentEvent), ...names })
    : event
