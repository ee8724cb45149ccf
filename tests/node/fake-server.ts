import type { Server, ServerWebSocket } from 'bun'
import { type NodeFrame, type NodeFrameOf, nodeFrameProblem } from '../../src/protocol/node/node-frames.ts'
import type { NodeServerFrame } from '../../src/protocol/node/server-frames.ts'

export const TOKEN = 'rnode_the-secret-of-this-node'

interface FakeServerOptions {
  heartbeatSeconds?: number
  /** Acknowledges `completed` and `failed`. Default true. */
  ack?: boolean
  /** Answers upgrades with this status. */
  refuse?: number
}

/** The server's side of the node protocol. It records all frames of nodes, and every frame must be valid. */
export class FakeServer {
  readonly frames: NodeFrame[] = []
  /** The same frames as text. */
  readonly texts: string[] = []
  /** The times of the frames, by `performance.now()`. */
  readonly times: number[] = []
  readonly problems: string[] = []
  connections = 0
  ack: boolean
  refuse: number | undefined
  private socket: ServerWebSocket<undefined> | undefined
  private readonly server: Server<undefined>
  private waiting: (() => void)[] = []

  constructor(private readonly options: FakeServerOptions = {}) {
    this.ack = options.ack ?? true
    this.refuse = options.refuse
    this.server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, server) => {
        if (this.refuse) return new Response('no', { status: this.refuse })
        const signedIn = request.headers.get('authorization') === `Bearer ${TOKEN}`
        if (!signedIn || new URL(request.url).pathname !== '/ws/node')
          return new Response('no', { status: 401 })
        return server.upgrade(request) ? undefined : new Response('no', { status: 400 })
      },
      websocket: {
        open: (socket) => {
          this.socket = socket
          this.connections++
        },
        message: (_, message) => {
          this.texts.push(String(message))
          this.times.push(performance.now())
          this.receive(JSON.parse(String(message)))
        },
        close: (socket) => {
          if (this.socket === socket) this.socket = undefined
        },
      },
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`
  }

  get socketUrl(): string {
    return `ws://127.0.0.1:${this.server.port}/ws/node`
  }

  send(frame: NodeServerFrame): void {
    this.sendText(JSON.stringify(frame))
  }

  sendText(text: string): void {
    if (!this.socket) throw new Error('no node is connected')
    this.socket.send(text)
  }

  assign(task_id: string, task_type: string, config: Record<string, unknown> = {}, attempt = 1): void {
    this.send({ type: 'assign', task_id, attempt, task_type, config, estimated_duration: null })
  }

  closeSocket(code?: number): void {
    if (code === undefined) this.socket?.terminate()
    else this.socket?.close(code)
  }

  stop(): void {
    this.server.stop(true)
  }

  of<T extends NodeFrame['type']>(type: T, task_id?: string, attempt?: number): NodeFrameOf<T>[] {
    return this.frames.filter(
      (frame) =>
        frame.type === type &&
        (task_id === undefined || ('task_id' in frame && frame.task_id === task_id)) &&
        (attempt === undefined || ('attempt' in frame && frame.attempt === attempt)),
    ) as NodeFrameOf<T>[]
  }

  /** Waits for the `count`th frame of the kind. */
  async frame<T extends NodeFrame['type']>(type: T, task_id?: string, count = 1): Promise<NodeFrameOf<T>> {
    await this.until(
      () => this.of(type, task_id).length >= count,
      `${count} ${type} of ${task_id ?? 'the node'}`,
    )
    return this.of(type, task_id)[count - 1] as NodeFrameOf<T>
  }

  /** Checks again after every frame. */
  async until(condition: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!condition()) {
      const left = deadline - performance.now()
      if (left <= 0)
        throw new Error(`no ${what} in ${timeoutMs} ms; got ${JSON.stringify(this.frames.slice(-20))}`)
      await Promise.race([
        new Promise<void>((resolve) => this.waiting.push(resolve)),
        Bun.sleep(Math.min(left, 50)),
      ])
    }
  }

  private receive(frame: NodeFrame): void {
    const problem = nodeFrameProblem(frame)
    if (problem) this.problems.push(`${JSON.stringify(frame)}: ${problem}`)
    this.frames.push(frame)
    if (frame.type === 'hello')
      this.send({
        type: 'welcome',
        server_id: 'fake',
        heartbeat_seconds: this.options.heartbeatSeconds ?? 0.2,
      })
    if ((frame.type === 'completed' || frame.type === 'failed') && this.ack) {
      const { task_id, attempt } = frame
      this.send({ type: 'ack', task_id, attempt })
    }
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
