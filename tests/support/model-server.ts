/** A language model's API (OpenAI's streaming chat completions, over real HTTP) whose answers the test chooses. */

import { faultsOf, type ModelRequest } from './strict-chat.ts'

export type { ModelRequest }

export type Piece =
  | string
  | { tool: string; input: unknown }
  /** Arguments as they are written, whole or not. */
  | { tool: string; args: string }
  | { reasoning: string }
  | { pauseMs: number }
  | { until: () => Promise<void> }
  /** A chunk's choice, for what the others can't say. */
  | { choice: object }
  /** As it goes over the wire. */
  | { raw: string }
  /** The reason of the end; without it, what the pieces come to. */
  | { finish: string | null }
  /** The connection ends here, as it is. */
  | 'cut'

export class ModelServer implements Disposable {
  readonly requests: ModelRequest[] = []
  readonly keys: (string | null)[] = []
  /** What a strict API refuses in the requests that came. */
  readonly faults: string[] = []
  /** The number of requests whose client disconnected before the end. */
  aborted = 0
  private readonly server: Bun.Server<unknown>

  /** @param answer the answer to a request: pieces, or a whole response */
  constructor(private readonly answer: (request: ModelRequest, n: number) => Piece[] | Response) {
    this.server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: (request) => this.handle(request),
    })
  }

  get env(): Record<string, string> {
    return {
      LLM_BASE_URL: `http://127.0.0.1:${this.server.port}/v1`,
      LLM_API_KEY: 'sk-very-secret-key',
      LLM_MODEL: 'test-model',
    }
  }

  private async handle(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/v1/chat/completions') return new Response('', { status: 404 })
    const body = (await request.json()) as ModelRequest
    this.requests.push(body)
    this.keys.push(request.headers.get('authorization'))
    const faults = faultsOf(body)
    this.faults.push(...faults)
    if (faults.length > 0) return Response.json({ error: { message: faults.join('; ') } }, { status: 400 })
    const pieces = this.answer(body, this.requests.length)
    if (pieces instanceof Response) return pieces
    request.signal.addEventListener('abort', () => {
      this.aborted++
    })
    return new Response(stream(pieces, request.signal), { headers: { 'content-type': 'text/event-stream' } })
  }

  [Symbol.dispose](): void {
    this.server.stop(true)
  }
}

function stream(pieces: Piece[], signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async start(controller) {
      const send = (choice: object) => {
        const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] }
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`))
      }
      // Counted anew in every answer, as some servers do.
      let calls = 0
      let finish: string | null | undefined
      try {
        for (const piece of pieces) {
          if (signal.aborted) return
          if (piece === 'cut') return controller.close()
          if (typeof piece === 'string') send({ index: 0, delta: { content: piece }, finish_reason: null })
          else if ('pauseMs' in piece) await Bun.sleep(piece.pauseMs)
          else if ('until' in piece) await piece.until()
          else if ('raw' in piece) controller.enqueue(encoder.encode(piece.raw))
          else if ('choice' in piece) send({ index: 0, ...piece.choice })
          else if ('finish' in piece) finish = piece.finish
          else if ('reasoning' in piece) {
            send({ index: 0, delta: { reasoning_content: piece.reasoning }, finish_reason: null })
          } else {
            const args = 'args' in piece ? piece.args : JSON.stringify(piece.input)
            const call = {
              index: calls,
              id: `call_${calls}`,
              type: 'function',
              function: { name: piece.tool, arguments: args },
            }
            calls++
            send({ index: 0, delta: { tool_calls: [call] }, finish_reason: null })
          }
        }
        if (finish !== null) {
          send({ index: 0, delta: {}, finish_reason: finish ?? (calls > 0 ? 'tool_calls' : 'stop') })
        }
        controller.enqueue(encoder.encode('data: [DONE]\n\n'))
        controller.close()
      } catch {
        // The client has gone.
      }
    },
  })
}

/** The last thing that the user said. */
export const lastUserText = ({ messages }: ModelRequest): string => {
  const content = messages.findLast(({ role }) => role === 'user')?.content
  return typeof content === 'string' ? content : JSON.stringify(content)
}
