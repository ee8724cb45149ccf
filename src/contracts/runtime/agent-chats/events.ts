/** How the events of a run leave: as the documented JSON, and as AG-UI over SSE. */
import { type Static, t } from 'elysia'
import { type AgentEvent, EventType, endsRun, type Frame } from '../../../core/agent/events.ts'
import { Transcript } from '../../../core/agent/transcript.ts'
import type { ServerSentEvent } from '../../../http/sse.ts'

const nullable = t.Union([t.String(), t.Null()])

/** docs/contracts/runtime.md, "Agent events". `type` is AG-UI's. */
export const ChatEvent = t.Object({
  type: t.String(),
  run_id: nullable,
  message_id: nullable,
  delta: nullable,
  tool_name: nullable,
  result: nullable,
  output: nullable,
  error: nullable,
})
export type ChatEvent = Static<typeof ChatEvent>

const NOTHING = {
  ...{ message_id: null, delta: null, tool_name: null, result: null, output: null, error: null },
}

/** The frames of a whole run in the documented shape, and what was said in it. */
export function presentRun(frames: Frame[]): { output: string; events: ChatEvent[] } {
  const transcript = new Transcript()
  const tools = new Map<string, string>()
  const events = frames.map(({ runId, event: text }): ChatEvent => {
    const event = JSON.parse(text) as AgentEvent
    transcript.apply(event)
    const shown = { type: event.type as string, run_id: runId, ...NOTHING }
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

/** The frames of a run as server-sent events; each has its frame's number, from which a client goes on. */
export async function* runEvents(
  frames: AsyncIterable<Frame>,
  runId: string,
): AsyncGenerator<ServerSentEvent, void> {
  for await (const frame of frames) {
    yield { id: frame.seq, data: frame.event }
    if (frame.runId === runId && endsRun(frame.event)) return
  }
}
