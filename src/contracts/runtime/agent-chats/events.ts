/** The events of a run in the two forms of the answer: as the documented JSON, and as AG-UI over SSE. */
import { type AgentEvent, type AgentFrame, EventType, endsRun } from '../../../core/agent/ag-ui.ts'
import { Transcript } from '../../../core/agent/transcript.ts'
import type { ServerSentEvent } from '../../../http/sse.ts'
import type { ChatEvent } from './models.ts'

const EMPTY = {
  message_id: null,
  delta: null,
  tool_name: null,
  result: null,
  output: null,
  error: null,
}

/** @returns the events of a whole run in the documented form, and the text of its answer */
export function presentAnswer(frames: AgentFrame[]): { output: string; events: ChatEvent[] } {
  const transcript = new Transcript()
  const tools = new Map<string, string>()
  const events = frames.map(({ runId, event: text }): ChatEvent => {
    const event = JSON.parse(text) as AgentEvent
    transcript.apply(event)
    const shown = { type: event.type as string, run_id: runId, ...EMPTY }
    switch (event.type) {
      case EventType.TEXT_MESSAGE_START:
      case EventType.TEXT_MESSAGE_END:
      case EventType.REASONING_START:
      case EventType.REASONING_MESSAGE_START:
      case EventType.REASONING_MESSAGE_END:
      case EventType.REASONING_END:
        return { ...shown, message_id: event.messageId }
      case EventType.TEXT_MESSAGE_CONTENT:
      case EventType.REASONING_MESSAGE_CONTENT:
        return { ...shown, message_id: event.messageId, delta: event.delta }
      case EventType.TOOL_CALL_START:
        tools.set(event.toolCallId, event.toolCallName)
        return { ...shown, message_id: event.parentMessageId ?? null, tool_name: event.toolCallName }
      case EventType.TOOL_CALL_ARGS:
        return { ...shown, tool_name: tools.get(event.toolCallId) ?? null, delta: event.delta }
      case EventType.TOOL_CALL_END:
        return { ...shown, tool_name: tools.get(event.toolCallId) ?? null }
      case EventType.TOOL_CALL_RESULT:
        return {
          ...shown,
          message_id: event.messageId,
          tool_name: String(event.metadata?.toolCallName),
          result: event.content as string,
        }
      case EventType.RUN_FINISHED:
        return { ...shown, output: transcript.output }
      case EventType.RUN_ERROR:
        return { ...shown, output: transcript.output, error: event.message }
      default:
        return shown
    }
  })
  return { output: transcript.output, events }
}

/** The frames of a run as server-sent events. The id of an event is the number of its frame, for `Last-Event-ID`. */
export async function* runEvents(
  frames: AsyncIterable<AgentFrame>,
  runId: string,
): AsyncGenerator<ServerSentEvent, void> {
  for await (const frame of frames) {
    yield { id: frame.seq, data: frame.event }
    if (frame.runId === runId && endsRun(frame.event)) return
  }
}
