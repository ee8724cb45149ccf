import { checkFrame } from './conformance.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
export type Frame = any

/**
 * A socket that remembers what came and waits for what should: for tests of the protocol, which look at frames and close codes, or
 * send what no client sends. An application uses the client, and so do tests of whole journeys (`tests/client/support.ts`,
 * `tests/faults/reader.ts`).
 */
export class TestSocket {
  readonly frames: Frame[] = []
  closed: { code: number; reason: string } | undefined
  private readonly waiting = new Set<() => void>()

  private constructor(readonly ws: WebSocket) {
    ws.onmessage = (event) => {
      const frame = JSON.parse(String(event.data))
      checkFrame(ws.url, frame)
      this.frames.push(frame)
      this.wake()
    }
    ws.onclose = (event) => {
      this.closed = { code: event.code, reason: event.reason }
      this.wake()
    }
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<TestSocket> {
    const ws = new WebSocket(url, { headers } as unknown as string[])
    const socket = new TestSocket(ws)
    await new Promise<void>((resolve, reject) => {
      ws.onopen = () => resolve()
      ws.onerror = () => reject(new Error('the socket did not open'))
    })
    return socket
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** Waits until `find` finds something in what came so far. */
  async until<T>(find: (frames: Frame[]) => T | undefined, what = 'the frame', ms = 20_000): Promise<T> {
    const deadline = performance.now() + ms
    for (;;) {
      const found = find(this.frames)
      if (found !== undefined) return found
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`${what} did not come; got ${JSON.stringify(this.frames).slice(-2000)}`)
      await this.change(left)
    }
  }

  /** The first frame of this type (and that fits) from index `from` on. */
  next(type: string, fits: (frame: Frame) => boolean = () => true, from = 0): Promise<Frame> {
    return this.until((frames) => frames.slice(from).find((f) => f.type === type && fits(f)), type)
  }

  async closing(ms = 8000): Promise<{ code: number; reason: string }> {
    const deadline = performance.now() + ms
    while (!this.closed) {
      if (performance.now() > deadline) throw new Error('the socket was not closed')
      await this.change(deadline - performance.now())
    }
    return this.closed
  }

  /** The channel events that came, those with a cursor. */
  get events(): Frame[] {
    return this.frames.filter((frame) => frame.cursor && frame.at)
  }

  close(): void {
    this.ws.close()
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.waiting.add(done)
    })
  }

  private wake(): void {
    for (const done of [...this.waiting]) done()
  }
}

/** The live channel of a user, with its position known: what happens from now on arrives. Or it was refused. */
export async function openLive(
  server: { wsUrl: string },
  token: string,
  query: Record<string, string> = {},
): Promise<TestSocket> {
  const socket = await TestSocket.open(
    `${server.wsUrl}/ws/connect?${new URLSearchParams({ token, ...query })}`,
  )
  await socket.until((frames) => frames[0] ?? socket.closed, 'welcome')
  return socket
}

export interface NodeOptions {
  taskTypes?: string[]
  max?: number
  running?: { task_id: string; attempt: number }[]
  gpus?: { gpu_id: number; name: string; memory_total: number }[]
}

export const hello = (options: NodeOptions = {}) => ({
  type: 'hello',
  name: 'test node',
  max_concurrent_tasks: options.max ?? 2,
  task_types: options.taskTypes ?? ['test'],
  gpus: options.gpus ?? [{ gpu_id: 0, name: 'Test GPU', memory_total: 24 }],
  running: options.running ?? [],
})

/** A node that has sent `hello` and one heartbeat. The test answers its assignments. */
export async function openNode(
  server: { wsUrl: string },
  token: string,
  options: NodeOptions = {},
): Promise<TestSocket> {
  const socket = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: `Bearer ${token}` })
  socket.send(hello(options))
  await socket.next('welcome')
  socket.send(heartbeat())
  return socket
}

export const heartbeat = (usage = 50) => ({
  type: 'heartbeat',
  cpu_usage: 10,
  memory_usage: 20,
  gpus: [{ gpu_id: 0, usage, memory_used: 3, memory_total: 24, temperature: 60, power: 150 }],
})
