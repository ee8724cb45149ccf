/** A proxy for HTTP and WebSockets that repeats and swallows events, cuts connections, or blocks upgrades, as the test asks. */
import type { Server, ServerWebSocket } from 'bun'
import type { Random } from '../support/random.ts'

interface Relay {
  path: string
  headers: Record<string, string>
  upstream?: WebSocket
}

export class MeddlingProxy {
  /** Upgrades are refused, as some proxies do. */
  blocked = false
  /** Events are repeated, swallowed and cut off. */
  meddles = false
  /** What it answers in place of the server. */
  instead: (path: string) => Response | undefined = () => undefined
  readonly done = { repeated: 0, swallowed: 0, cut: 0, blocked: 0 }
  private readonly server: Server<Relay>
  private hasSwallowed = false
  /** The next event is swallowed. */
  swallowsNext = false

  constructor(
    private readonly target: string,
    private readonly random: Random,
  ) {
    this.server = Bun.serve<Relay>({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 60,
      fetch: (request, server) => this.forward(request, server),
      websocket: {
        open: (client) => this.connect(client),
        message: (client, text) => void client.data.upstream?.send(text),
        close: (client) => client.data.upstream?.close(),
      },
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`
  }

  stop = () => this.server.stop(true)

  private async forward(request: Request, server: Server<Relay>): Promise<Response | undefined> {
    const { pathname, search } = new URL(request.url)
    const path = pathname + search
    const own = this.instead(pathname)
    if (own) return own
    if (request.headers.get('upgrade') !== 'websocket') {
      const answer = await fetch(this.target + path, {
        method: request.method,
        headers: request.headers,
        body: await request.text(),
      })
      return new Response(await answer.text(), { status: answer.status })
    }
    if (this.blocked) {
      this.done.blocked++
      return new Response('blocked', { status: 403 })
    }
    const headers = { authorization: request.headers.get('authorization') ?? '' }
    server.upgrade(request, { data: { path, headers } })
    return undefined
  }

  private connect(client: ServerWebSocket<Relay>): void {
    const { path, headers } = client.data
    const upstream = new WebSocket(this.target.replace('http', 'ws') + path, { headers })
    client.data.upstream = upstream
    upstream.onmessage = ({ data }) => this.pass(client, String(data))
    upstream.onclose = ({ code, reason }) => client.close(code === 1006 ? 1011 : code, reason)
  }

  private pass(client: ServerWebSocket<Relay>, text: string): void {
    const isEvent = JSON.parse(text).at !== undefined
    const luck = isEvent && this.meddles ? this.random.next() : 1
    const swallows = isEvent && (this.swallowsNext || (luck < 0.1 && !this.hasSwallowed))
    if (isEvent) this.swallowsNext = false
    this.hasSwallowed = swallows
    if (swallows) this.done.swallowed++
    else client.send(text)
    if (luck > 0.1 && luck < 0.3) {
      this.done.repeated++
      client.send(text)
    }
    if (luck > 0.3 && luck < 0.36) {
      this.done.cut++
      client.terminate()
    }
  }
}
