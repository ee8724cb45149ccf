/** A language model's API that does as the test says: OpenAI's streaming chat completions, over real HTTP. */

export type Piece = string | { tool: string; input: unknown } | { pauseMs: number } | 'cut'

export interface ModelRequest {
  messages: { role: string; content: unknown; tool_calls?: unknown[]; tool_call_id?: string }[]
  tools: { function: { name: string; parameters: unknown } }[]
  model: string
}

export class ModelServer implements Disposable {
  readonly requests: ModelRequest[] = []
  readonly keys: (string | null)[] = []
  /** Requests whose client has gone before their end. */
  aborted = 0
  private readonly server: Bun.Server<unknown>

  /** @param answer what is said to a request: pieces, or a whole response */
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
      try {
        for (const piece of pieces) {
          if (signal.aborted) return
          if (piece === 'cut') return controller.close()
          if (typeof piece === 'string') send({ index: 0, delta: { content: piece }, finish_reason: null })
          else if ('pauseMs' in piece) await Bun.sleep(piece.pauseMs)
          else {
            const call = {
              ...{ index: calls, id: `call_${calls}`, type: 'function' },
              function: { name: piece.tool, arguments: JSON.stringify(piece.input) },
            }
            calls++
            send({ index: 0, delta: { tool_calls: [call] }, finish_reason: null })
          }
        }
        send({ index: 0, delta: {}, finish_reason: calls > 0 ? 'tool_calls' : 'stop' })
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
