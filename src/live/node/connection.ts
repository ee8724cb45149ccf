import type { Context } from '../../core/context.ts'
import type { ConnectedNode, NodeLink } from '../../core/nodes/connected-node.ts'
import type { NodeControl, Verdict } from '../../core/nodes/control.ts'
import type { Node } from '../../core/nodes/rows.ts'
import type { FinalReport } from '../../core/tasks/attempts.ts'
import type { Task } from '../../core/tasks/rows.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import { MAX_NODE_FRAME_BYTES, type NodeFrameOf } from '../../protocol/node/node-frames.ts'
import type { NodeServerFrame } from '../../protocol/node/server-frames.ts'
import { parseJson } from '../../util/json.ts'
import { Rate } from '../../util/rate.ts'
import { toStorable } from '../../util/storable.ts'
import { closeSocket } from '../close-socket.ts'
import { Pulse } from '../keep-alive.ts'
import { Backlog, isRepeated } from './backlog.ts'
import { attemptOf, type HeardFrame, type HeardHello, readNodeFrame } from './frames.ts'
import type { NodeSockets, NodeWebSocket } from './socket.ts'

const HELLO_MS = 10_000
const FRAME_BURST = 2000
const FRAMES_PER_SECOND = 500
/** Frames that may be dropped: a newer frame replaces them, or they are only log lines. */
const DROPPABLE: ReadonlySet<string> = new Set(['heartbeat', 'progress', 'log'])
/** The server answers bad frames within this budget and closes a socket that sends more of them. */
const BAD_FRAME_BURST = 20
const BAD_FRAMES_PER_SECOND = 0.2
/** The server closes the socket of a node that does not read its assignments. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

/** One socket of a GPU node. The server handles its frames about tasks strictly in order. */
export class NodeConnection implements NodeLink {
  readonly pulse = new Pulse()
  private ws!: NodeWebSocket
  private connected: ConnectedNode | undefined
  private closed = false
  private readonly budget = new Rate(FRAMES_PER_SECOND, FRAME_BURST)
  private readonly badFrames = new Rate(BAD_FRAMES_PER_SECOND, BAD_FRAME_BURST)
  private readonly frames = new Backlog((frame) => this.handle(frame))
  private helloTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly ctx: Context,
    private readonly sockets: NodeSockets,
    readonly node: Node | undefined,
    /** The number of this socket among the sockets of all nodes. */
    private readonly number: number,
  ) {}

  get alive(): boolean {
    return !this.closed
  }

  get backlog(): number {
    return this.frames.size
  }

  private get control(): NodeControl {
    return this.ctx.services.nodeControl
  }

  get quietMs(): number {
    return performance.now() - this.pulse.heardAt
  }

  open(ws: NodeWebSocket): void {
    this.ws = ws
    if (!this.node) return this.end(CLOSE.unauthenticated, 'unknown node token')
    this.sockets.open.add(this)
    this.helloTimer = setTimeout(() => this.end(CLOSE.authTimeout, 'no hello in time'), HELLO_MS)
  }

  pong(): void {
    this.pulse.heard()
  }

  ping(): void {
    this.pulse.heard()
  }

  sendPing(): void {
    if (!this.closed) this.ws.ping()
  }

  message(_ws: unknown, data: string | Buffer): void {
    if (this.closed) return
    this.pulse.heard()
    if (!this.budget.take()) return this.end(CLOSE.tooManyFrames, 'too many frames')
    const bytes = Buffer.byteLength(data)
    if (bytes > MAX_NODE_FRAME_BYTES) {
      return this.end(CLOSE.frameTooLarge, `frames may have ${MAX_NODE_FRAME_BYTES} bytes`)
    }
    const frame = this.read(data)
    if (!frame) return
    // A heartbeat needs no database, so it overtakes frames that wait: a node must not count as silent because this
    // server is slow.
    if (frame.type === 'heartbeat' && this.connected?.node.online) return void this.handle(frame)
    this.enqueue(frame, bytes)
  }

  private enqueue(frame: HeardFrame, bytes: number): void {
    if (this.frames.add(frame, bytes)) return
    // This server is slow, and the node cannot know that. The node repeats ends of attempts, and the rest may be dropped.
    if (frame.type === 'log' && this.connected)
      this.control.logLost(this.connected, frame.task_id, frame.attempt)
    if (DROPPABLE.has(frame.type) || isRepeated(frame)) {
      this.ctx.metrics.nodeFramesDropped.value++
      return
    }
    this.end(CLOSE.tooManyFrames, 'too much that this server has yet to handle')
  }

  close(): void {
    this.closed = true
    clearTimeout(this.helloTimer)
    this.sockets.open.delete(this)
    if (this.connected) this.control.leave(this.connected)
  }

  end(code: number | 'superseded' | 'revoked', reason = String(code)): void {
    if (this.closed) return
    this.close()
    const codes = { superseded: CLOSE.tooManyConnections, revoked: CLOSE.forbidden }
    const number = typeof code === 'number' ? code : codes[code]
    this.ctx.metrics.socketsClosed.of('node', String(number)).value++
    closeSocket(this.ws, number, reason)
  }

  send(frame: NodeServerFrame): void {
    if (this.closed) return
    if (this.ws.getBufferedAmount() > MAX_BUFFERED_BYTES) return this.end(CLOSE.tooSlow, 'too slow')
    this.ws.send(JSON.stringify(frame))
  }

  assign(task: Task): void {
    this.send({
      type: 'assign',
      task_id: task.uuid,
      id: task.id,
      attempt: task.attempt,
      task_type: task.taskType!,
      config: task.config,
      estimated_duration: task.estimatedMinutes,
    })
  }

  cancel(taskUuid: string, attempt: number): void {
    this.send({ type: 'cancel', task_id: taskUuid, attempt })
  }

  drain(): void {
    this.send({ type: 'drain' })
  }

  welcome(): void {
    const { nodeHeartbeatSeconds } = this.ctx.config
    this.send({ type: 'welcome', server_id: this.node!.uuid, heartbeat_seconds: nodeHeartbeatSeconds })
  }

  private read(data: string | Buffer): HeardFrame | undefined {
    const text = String(data)
    let value: unknown
    try {
      // A task may print any character. A result must not be refused for ever because of one that cannot be stored.
      value = toStorable(text, parseJson(text, 'null'))
    } catch {
      value = undefined
    }
    const frame = readNodeFrame(value)
    if (!('problem' in frame)) return frame
    const { problem, ...attempt } = frame
    if (this.badFrames.take()) this.send({ type: 'error', code: 'BAD_FRAME', message: problem, ...attempt })
    else this.end(CLOSE.badFrame, 'too many bad frames')
    return undefined
  }

  private async handle(frame: HeardFrame): Promise<void> {
    if (this.closed) return
    try {
      if (frame.type === 'hello') return await this.hello(frame)
      if (!this.connected) {
        return this.send({
          type: 'error',
          code: 'HELLO_FIRST',
          message: 'the first frame is hello',
          ...attemptOf(frame),
        })
      }
      await this.dispatch(this.connected, frame)
    } catch (error) {
      // The end of an attempt that could not be stored gets no `ack`, so the node repeats it.
      this.ctx.log.warn(
        { err: error, node: this.node!.name, frame: frame.type },
        'a frame of a node could not be handled',
      )
      this.send({
        type: 'error',
        code: 'TRY_AGAIN',
        message: 'the server could not store this; repeat it later',
        ...attemptOf(frame),
      })
      // Without its `hello` no other frame can be handled, so the node must reconnect.
      if (!this.connected) this.end(CLOSE.restarting, 'try again')
    }
  }

  private async hello(frame: HeardHello): Promise<void> {
    if (this.connected) {
      return this.send({ type: 'error', code: 'BAD_FRAME', message: 'hello is sent once, reconnect instead' })
    }
    clearTimeout(this.helloTimer)
    const connected = await this.control.introduce(
      this.node!,
      this.number,
      {
        maxConcurrentTasks: frame.max_concurrent_tasks,
        taskTypes: frame.task_types,
        gpus: frame.gpus,
        running: frame.running.map((held) => ({ taskUuid: held.task_id, attempt: held.attempt })),
      },
      this,
    )
    this.connected = connected
    if (connected && this.closed) this.control.leave(connected)
  }

  private async dispatch(
    connected: ConnectedNode,
    frame: Exclude<HeardFrame, { type: 'hello' }>,
  ): Promise<void> {
    if (frame.type === 'heartbeat') return this.control.heartbeat(connected, frame)
    const { task_id, attempt } = frame
    const verdict = await this.attempt(connected, frame)
    if (verdict === 'stale') {
      this.send({
        type: 'error',
        code: 'STALE_ATTEMPT',
        message: 'this attempt is not yours any more; stop it and forget it',
        task_id,
        attempt,
      })
    } else if (frame.type === 'completed' || frame.type === 'failed') {
      this.send({ type: 'ack', task_id, attempt })
    }
  }

  private async attempt(
    connected: ConnectedNode,
    frame: Exclude<HeardFrame, { type: 'hello' | 'heartbeat' }>,
  ): Promise<Verdict> {
    const { task_id, attempt } = frame
    switch (frame.type) {
      case 'accept':
        return this.control.accept(connected, task_id, attempt)
      case 'reject':
        return this.control.reject(connected, task_id, attempt, frame)
      case 'progress':
        return this.control.progress(connected, task_id, attempt, {
          progress: frame.progress,
          currentItem: frame.current_item,
        })
      case 'log':
        return this.control.log(connected, task_id, attempt, frame)
      case 'completed':
        return this.control.end(connected, task_id, attempt, {
          status: 'completed',
          result: frame.result,
        })
      case 'failed':
        return this.control.end(connected, task_id, attempt, readFailure(frame))
    }
  }
}

const readFailure = ({
  error,
  code,
  exit_code,
  signal,
  seconds,
  limit,
}: NodeFrameOf<'failed'>): FinalReport => ({
  status: 'failed',
  error,
  code,
  exitCode: exit_code,
  signal,
  seconds,
  limit,
})
