/**
 * A node in the test's own process that does what docs/design.md, "Nodes" asks of nodes: it reconnects after every loss,
 * its `hello` names every attempt that it holds, finished ones too, and it repeats a result until it is acknowledged.
 * A task's config controls it: `steps`, `step_ms`, `fail`, `result_bytes`.
 */
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { NodeFrame } from '../../src/protocol/node/node-frames.ts'
import { NodeServerFrame, type NodeServerFrameOf } from '../../src/protocol/node/server-frames.ts'
import { eventually } from '../support/process.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'

const REPEAT_MS = 500
const BACKOFF_MS = 150

const serverFrame = TypeCompiler.Compile(NodeServerFrame)

type Assign = NodeServerFrameOf<'assign'>
type Final = Extract<NodeFrame, { type: 'completed' | 'failed' }>
interface Held {
  task_id: string
  attempt: number
  progress: number
  step: Timer | undefined
  final: Final | undefined
}
interface Script {
  steps?: number
  step_ms?: number
  fail?: boolean
  result_bytes?: number
}

const keyOf = ({ task_id, attempt }: { task_id: string; attempt: number }) => `${task_id}/${attempt}`

export class ScriptedNode implements AsyncDisposable {
  readonly held = new Map<string, Held>()
  /** Faults of the server: an unknown frame, an attempt that does not grow. */
  readonly problems: string[] = []
  readonly received: NodeServerFrame[] = []
  readonly closeCodes: (number | undefined)[] = []
  /** Whether the server has sent `welcome` on the current connection. */
  ready = false
  connections = 0
  /** When true, the node runs assignments and sends no frame about them. */
  mute = false
  private readonly newest = new Map<string, number>()
  private socket: RawWebSocket | undefined
  private heartbeats: Timer | undefined
  private retry: Timer | undefined
  private readonly repeat = setInterval(() => this.sendFinals(), REPEAT_MS)
  private stopped = false

  constructor(
    private readonly wsUrl: () => string,
    private readonly token: string,
    private readonly max = 4,
  ) {
    this.connect()
  }

  async connected(): Promise<this> {
    await eventually(() => this.ready, 'the node is welcomed')
    return this
  }

  frames<T extends NodeServerFrame['type']>(type: T, taskId?: string): NodeServerFrameOf<T>[] {
    return this.received.filter(
      (frame) =>
        frame.type === type && (taskId === undefined || ('task_id' in frame && frame.task_id === taskId)),
    ) as NodeServerFrameOf<T>[]
  }

  /** Waits for a frame of this type, about this task when one is given. */
  async frame<T extends NodeServerFrame['type']>(
    type: T,
    taskId?: string,
    ms = 30_000,
  ): Promise<NodeServerFrameOf<T>> {
    return eventually(
      () => this.frames(type, taskId)[0],
      () =>
        `the node gets ${type} of ${taskId ?? 'anything'}; it got ${JSON.stringify(this.received.slice(-20))}`,
      ms,
    )
  }

  send(frame: NodeFrame): void {
    if (this.ready || frame.type === 'hello') this.socket?.send(frame)
  }

  /** Cuts the node's connection. The node reconnects by itself. */
  cut(): void {
    this.socket?.terminate()
  }

  /** Opens a second connection beside the first, as after a change of networks. */
  replace(): void {
    this.connect()
  }

  /** Cuts the connection for good. The tasks go on. */
  leave(): void {
    this.stopped = true
    this.cut()
  }

  comeBack(): void {
    this.stopped = false
    this.connect()
  }

  /** Forgets all attempts, as after a crash of the node. */
  forget(): void {
    for (const held of this.held.values()) clearTimeout(held.step)
    this.held.clear()
  }

  private connect(): void {
    const mine = () => this.socket === socket
    const socket = new RawWebSocket(
      `${this.wsUrl()}/ws/node`,
      {
        opened: () => mine() && this.hello(),
        text: (text) => mine() && this.take(JSON.parse(text)),
        closed: (code) => {
          this.closeCodes.push(code)
          if (!mine()) return
          this.ready = false
          clearInterval(this.heartbeats)
          if (!this.stopped) this.retry = setTimeout(() => this.connect(), BACKOFF_MS)
        },
      },
      { authorization: `Bearer ${this.token}` },
    )
    this.socket = socket
    this.ready = false
    clearInterval(this.heartbeats)
  }

  private hello(): void {
    this.send({
      type: 'hello',
      name: 'scripted',
      max_concurrent_tasks: this.max,
      task_types: ['test'],
      gpus: [{ gpu_id: 0, name: 'Test GPU', memory_total: 24 }],
      running: [...this.held.values()].map(({ task_id, attempt }) => ({ task_id, attempt })),
    })
  }

  private take(frame: NodeServerFrame): void {
    this.received.push(frame)
    if (!serverFrame.Check(frame)) this.problems.push(`not of the protocol: ${JSON.stringify(frame)}`)
    switch (frame.type) {
      case 'welcome':
        return this.welcomed(frame.heartbeat_seconds)
      case 'assign':
        return this.assigned(frame)
      case 'cancel':
        return this.cancelled(frame)
      case 'ack':
        return this.drop(frame)
      case 'error':
        if (frame.code === 'STALE_ATTEMPT') return this.drop(frame as { task_id: string; attempt: number })
        if (frame.code !== 'TRY_AGAIN') this.problems.push(`error: ${JSON.stringify(frame)}`)
    }
  }

  private welcomed(heartbeatSeconds: number): void {
    this.ready = true
    this.connections++
    this.beat()
    this.heartbeats = setInterval(() => this.beat(), heartbeatSeconds * 1000)
    this.sendFinals()
  }

  private beat(): void {
    this.send({
      type: 'heartbeat',
      cpu_usage: 10,
      memory_usage: 20,
      gpus: [{ gpu_id: 0, usage: 50, memory_used: 3, memory_total: 24 }],
    })
  }

  private assigned({ task_id, attempt, config }: Assign): void {
    const before = this.newest.get(task_id) ?? 0
    if (attempt <= before) this.problems.push(`task ${task_id}: attempt ${attempt} assigned after ${before}`)
    this.newest.set(task_id, attempt)
    if (this.mute) return
    for (const older of this.held.values()) if (older.task_id === task_id) this.drop(older)
    const held: Held = { task_id, attempt, progress: 0, step: undefined, final: undefined }
    this.held.set(keyOf(held), held)
    this.send({ type: 'accept', task_id, attempt })
    this.work(held, config as Script, 0)
  }

  private work(held: Held, script: Script, step: number): void {
    const { task_id, attempt } = held
    const { steps = 3, step_ms = 50, fail = false, result_bytes = 0 } = script
    held.progress = (step / steps) * 100
    if (step > 0) this.send({ type: 'progress', task_id, attempt, progress: held.progress })
    if (step < steps) {
      held.step = setTimeout(() => this.work(held, script, step + 1), step_ms)
    } else if (fail) {
      this.finish(held, { type: 'failed', task_id, attempt, error: 'as its config asked' })
    } else {
      const result = { by: attempt, payload: 'x'.repeat(result_bytes) }
      this.finish(held, { type: 'completed', task_id, attempt, result })
    }
  }

  private cancelled(lease: { task_id: string; attempt: number }): void {
    const held = this.held.get(keyOf(lease))
    if (!held || held.final) return
    const { task_id, attempt } = held
    clearTimeout(held.step)
    this.finish(held, { type: 'failed', task_id, attempt, error: 'cancelled' })
  }

  private finish(held: Held, final: Final): void {
    held.final = final
    this.send(final)
  }

  private sendFinals(): void {
    for (const { final } of this.held.values()) if (final) this.send(final)
  }

  private drop(lease: { task_id: string; attempt: number }): void {
    clearTimeout(this.held.get(keyOf(lease))?.step)
    this.held.delete(keyOf(lease))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopped = true
    clearInterval(this.repeat)
    clearInterval(this.heartbeats)
    clearTimeout(this.retry)
    this.forget()
    this.cut()
  }
}
