/** An HTTP proxy in front of a server that knows WebSockets, and does to whole messages what networks do. */
import type { Server, ServerWebSocket } from 'bun'

/** What happens to a message of the server. A number: it comes so many milliseconds later, and those behind it wait. */
export type Fate = 'pass' | 'swallow' | 'twice' | number

interface Pair {
  upstream: WebSocket
  early: string[]
  /** The messages to the client, in order. */
  passing: Promise<void>
}

export class SocketProxy implements AsyncDisposable {
  /** Decides over each message of the server. */
  fate: (text: string) => Fate = () => 'pass'
  /** It answers upgrades with 403, as some networks do. */
  blocksUpgrades = false
  /** It keeps streams to itself until they end. */
  holdsStreams = false
  /** Upgrades that it was asked for. */
  upgrades = 0
  /** Paths of the requests that it has passed on. */
  readonly requests: string[] = []
  private readonly clients = new Set<ServerWebSocket<Pair>>()
  private readonly server: Server<Pair>

  /** @param target asked for each connection: the server may move */
  constructor(private readonly target: () => string) {
    this.server = Bun.serve<Pair>({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 0,
      // A server that is killed in the middle of an answer.
      error: () => new Response('bad gateway', { status: 502 }),
      fetch: (request, server) => this.pass(request, server),
      websocket: {
        open: (client) => this.open(client),
        message: ({ data }, message) => {
          const text = String(message)
          if (data.upstream.readyState === WebSocket.OPEN) data.upstream.send(text)
          else data.early.push(text)
        },
        close: (client) => {
          this.clients.delete(client)
          client.data.upstream.close()
        },
      },
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`
  }

  get connections(): number {
    return this.clients.size
  }

  /** The clients see their connections break. */
  cutAll(): void {
    for (const client of this.clients) client.terminate()
  }

  /** Cuts one connection. */
  cut(choose: <T>(all: T[]) => T): void {
    if (this.clients.size > 0) choose([...this.clients]).terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(true)
  }

  private async pass(request: Request, server: Server<Pair>): Promise<Response | undefined> {
    const { pathname, search } = new URL(request.url)
    if (request.headers.get('upgrade') === 'websocket') {
      this.upgrades++
      if (this.blocksUpgrades) return new Response('no upgrades here', { status: 403 })
      const upstream = new WebSocket(`${this.target().replace('http', 'ws')}${pathname}${search}`)
      const data: Pair = { upstream, early: [], passing: Promise.resolve() }
      return server.upgrade(request, { data }) ? undefined : new Response('', { status: 400 })
    }
    this.requests.push(`${request.method} ${pathname}`)
    try {
      const headers = new Headers(request.headers)
      headers.delete('host')
      const answer = await fetch(this.target() + pathname + search, {
        method: request.method,
        headers,
        signal: request.signal,
        ...(request.body && { body: await request.arrayBuffer() }),
        redirect: 'manual',
        decompress: false,
      })
      const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream')
      const body = isStream && this.holdsStreams ? held(answer.body!) : answer.body
      return new Response(body, { status: answer.status, headers: answer.headers })
    } catch {
      return new Response('bad gateway', { status: 502 })
    }
  }

  private open(client: ServerWebSocket<Pair>): void {
    const { data } = client
    const { upstream } = data
    this.clients.add(client)
    upstream.onopen = () => {
      for (const text of data.early.splice(0)) upstream.send(text)
    }
    upstream.onmessage = (event) => {
      const text = String(event.data)
      const fate = this.fate(text)
      data.passing = data.passing.then(async () => {
        if (fate === 'swallow') return
        if (typeof fate === 'number') await Bun.sleep(fate)
        client.send(text)
        if (fate === 'twice') client.send(text)
      })
    }
    upstream.onclose = ({ code, reason }) => {
      data.passing = data.passing.then(() => {
        if (code >= 3000 || code === 1000 || code === 1012) client.close(code, reason)
        else client.terminate()
      })
    }
    upstream.onerror = () => {}
  }
}

/** All of a stream, when it has ended. */
function held(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  return new ReadableStream({
    async start(controller) {
      const chunks: Uint8Array[] = []
      try {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) break
          chunks.push(value)
        }
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      } catch {
        // The client has gone.
      }
    },
    cancel: () => reader.cancel(),
  })
}
