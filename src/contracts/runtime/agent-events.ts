/** How the events of a run leave: as the documented JSON, and as AG-UI over SSE. */
import { type Static, t } from 'elysia'
import { type AgentEvent, EventType, endsRun, type Frame } from '../../core/agent/events.ts'
import { Transcript } from '../../core/agent/transcript.ts'

const nullable = t.Union([t.String(), t.Null()])

/** runtime.md, "Agent Chat". `type` is AG-UI's. */
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

/** A silent stream is taken for dead by proxies, and by the server itself. */
const PING_MS = 15_000

/**
 * Server-sent events (HTML standard, 9.2); the id of each is its frame's number, so a client that comes back with
 * `Last-Event-ID` goes on from there. Ends with the run, and when its reader is signed out.
 */
export function eventStream(
  frames: AsyncGenerator<Frame, void>,
  runId: string,
  isSignedIn: () => Promise<boolean>,
): Response {
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<Frame, void>> | undefined
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        next ??= frames.next()
        let timer: ReturnType<typeof setTimeout> | undefined
        const ping = new Promise<undefined>((resolve) => {
          timer = setTimeout(() => resolve(undefined), PING_MS)
        })
        const result = await Promise.race([next, ping])
        clearTimeout(timer)
        if (!(await isSignedIn())) {
          controller.close()
          return void frames.return()
        }
        if (!result) return controller.enqueue(encoder.encode(': ping\n\n'))
        next = undefined
        if (result.done) return controller.close()
        const { seq, event } = result.value
        controller.enqueue(encoder.encode(`id: ${seq}\ndata: ${event}\n\n`))
        if (result.value.runId !== runId || !endsRun(event)) return
        controller.close()
        await frames.return()
      },
      cancel: () => void frames.return(),
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx would keep it back.
      'x-accel-buffering': 'no',
    },
  })
}
