/** A language model's API (OpenAI's streaming chat completions) whose words are the time, sent at an even rate. */
import { answer } from '../support/answer.ts'
import { now } from '../support/readings.ts'

const handlers = {
  /** @returns the port. Each answer begins after `delayMs` or up to twice that, and has `tokens` words, one every `everyMs`. */
  listen(delayMs: number, tokens: number, everyMs: number): number {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: (request) =>
        new Response(speak(request.signal, delayMs, tokens, everyMs), {
          headers: { 'content-type': 'text/event-stream' },
        }),
    })
    return server.port!
  },
}
export type Model = typeof handlers

function speak(signal: AbortSignal, delayMs: number, tokens: number, everyMs: number): ReadableStream {
  const encoder = new TextEncoder()
  const chunk = (delta: object, finish_reason: string | null) =>
    encoder.encode(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`,
    )
  return new ReadableStream({
    async start(controller) {
      await Bun.sleep(delayMs * (1 + Math.random()))
      const begun = performance.now()
      for (let n = 0; n < tokens && !signal.aborted; n++) {
        const wait = begun + n * everyMs - performance.now()
        if (wait > 0) await Bun.sleep(wait)
        controller.enqueue(chunk({ content: `${now().toFixed(1)} ` }, null))
      }
      controller.enqueue(chunk({}, 'stop'))
      controller.enqueue(encoder.encode('data: [DONE]\n\n'))
      controller.close()
    },
  })
}

answer(handlers)
