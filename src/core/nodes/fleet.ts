/**
 * The nodes whose sockets this server holds: who they are, what each runs, and what they say. Work that a node
 * reports goes to `core/tasks/attempts`, which decides by the database; this file only remembers.
 */

import type { Context } from '../context.ts'
import { CANNOT_START_SECONDS, endedAttempts } from '../tasks/attempts.ts'
import { type NodeCommand, nodeHint } from '../tasks/hints.ts'
import type { NewLog } from '../tasks/logs.ts'
import {
  type ProgressReport,
  saveProgress,
  shownProgress,
  type TaskState,
  taskTopic,
} from '../tasks/progress.ts'
import type { Slot } from '../tasks/queue.ts'
import type { Task } from '../tasks/rows.ts'
import { type AttemptLog, LogBuffer } from './log-buffer.ts'
import {
  completeReading,
  type HeardReading,
  type NodeState,
  nodeTopic,
  type Reading,
  type StoredState,
  saveReadings,
  statusOf,
} from './presence.ts'
import type { Node } from './rows.ts'

/** The way to a node, whatever it is made of. Every method returns at once. */
export interface NodeLink {
  /** How many things that the node has said are yet to be handled. */
  readonly backlog: number
  /** False when the socket has closed. */
  readonly alive: boolean
  /** How long ago, in ms, the socket showed that it lives. */
  readonly quietMs: number
  /** Asks the socket for a sign of life. */
  sendPing(): void
  assign(task: Task): void
  cancel(taskUuid: string, attempt: number): void
  drain(): void
  /** Greets the node, also again: a drain is over. */
  welcome(): void
  /** `superseded`: the node has a newer connection. */
  end(reason: 'superseded' | 'revoked'): void
}

interface HeldAttempt {
  taskId: number
  taskType: string | null
  attempt: number
  accepted: boolean
  /** It said that it begins, though that may not be stored yet. */
  answered?: boolean
  progress: number
  currentItem: string
  readonly log: AttemptLog
  /** `drains` of the node when it was assigned. */
  drains: number
  /** Ended by the server; the node has yet to say that it stopped. Its slot is not free before. */
  ending: ReturnType<typeof setTimeout> | undefined
}

const FLUSH_PROGRESS_MS = 1000
/** A node that does not confirm the end of a cancelled task gets its slot back after this. */
const ENDING_MS = 10_000
const REFUSAL_MS = 30_000
/** A node that does not answer an assignment gets nothing for this long; twice as long each further time. */
const UNANSWERED_MS = 10_000
const MAX_UNANSWERED_MS = 40_000

export class ConnectedNode {
  /** By task UUID. */
  readonly held = new Map<string, HeldAttempt>()
  readonly refused = new Map<string, number>()
  /** Task types whose program it could not start, and until when they are not offered to it. */
  private readonly unable = new Map<string, number>()
  lastHeard = performance.now()
  /** The node is about to stop and said so by a refusal; it takes nothing more on this connection. */
  leaving = false
  /** How often the node was told to drain, or that the drain is over. */
  drains = 0
  /** Number of its socket. */
  readonly socket: number
  /** What it measured last. */
  reading: Reading
  /** Times in a row that it let assignments expire. */
  private unanswered = 0
  private mutedUntil = 0

  constructor(
    public node: Node,
    readonly link: NodeLink,
    private readonly ownTypes: ReadonlySet<string>,
    /** What the node itself allows; the administrator's figure may be lower. */
    public ownLimit: number,
  ) {
    this.socket = node.socket
    this.reading = { cpuUsage: node.cpuUsage, memoryUsage: node.memoryUsage, gpus: node.gpus }
    for (const { taskType, at } of node.cannotStart) {
      // Both times are the database's.
      const ago = (node.lastHeartbeatAt?.getTime() ?? 0) - Date.parse(at)
      if (ago >= 0 && ago < CANNOT_START_SECONDS * 1000) this.cannotStart(taskType, ago)
    }
  }

  get free(): number {
    if (this.node.draining || this.leaving || !this.node.online) return 0
    const room = Math.max(0, Math.min(this.ownLimit, this.node.maxConcurrentTasks) - this.held.size)
    if (this.unanswered === 0) return room
    // One assignment at a time is enough to find out whether it answers again.
    const waits =
      performance.now() < this.mutedUntil || [...this.held.values()].some((held) => !held.accepted)
    return waits ? 0 : Math.min(1, room)
  }

  /** It did not answer lately, and is tried with one assignment at a time. */
  get probing(): boolean {
    return this.unanswered > 0
  }

  get taskTypes(): ReadonlySet<string> {
    const now = performance.now()
    for (const [type, until] of this.unable) if (until <= now) this.unable.delete(type)
    return this.unable.size === 0 ? this.ownTypes : this.ownTypes.difference(this.unable)
  }

  cannotStart(taskType: string, agoMs = 0): void {
    this.unable.set(taskType, performance.now() + CANNOT_START_SECONDS * 1000 - agoMs)
  }

  /** It answered an assignment. */
  answered(): void {
    this.unanswered = 0
  }

  /** It let an assignment expire; those that expire together count once. */
  ignored(): void {
    const now = performance.now()
    if (now < this.mutedUntil) return
    this.mutedUntil = now + Math.min(MAX_UNANSWERED_MS, UNANSWERED_MS * 2 ** this.unanswered)
    this.unanswered++
  }
}

/** A node that this server has heard and that has no socket here: it has left, or reports over REST. */
export interface AbsentNode {
  node: Node
  lastHeard: number
}

export class Fleet {
  private readonly connected = new Map<number, ConnectedNode>()
  private readonly absent = new Map<number, AbsentNode>()
  private readonly dirtyReadings = new Map<number, StoredState>()
  private readonly dirtyProgress = new Map<string, ProgressReport>()
  private readonly logs: LogBuffer
  private readonly timers: ReturnType<typeof setInterval>[]

  constructor(
    private readonly ctx: Context,
    /** Called when a slot may have become free. */
    private readonly onRoom: () => void,
    private readonly onChanged: (node: ConnectedNode) => void,
  ) {
    this.logs = new LogBuffer(ctx)
    ctx.bus.subscribe(nodeHint, ({ nodeId, command }) => this.command(nodeId, command))
    this.timers = [
      this.every(ctx.config.nodeHeartbeatSeconds * 1000, () => this.flushReadings()),
      this.every(FLUSH_PROGRESS_MS, () => this.flushProgress()),
      this.every(FLUSH_PROGRESS_MS, () => this.logs.flush()),
    ]
  }

  get(nodeId: number): ConnectedNode | undefined {
    return this.connected.get(nodeId)
  }

  all(): Iterable<ConnectedNode> {
    return this.connected.values()
  }

  /** Nodes to be judged by when they were last heard here, until they are forgotten or come back. */
  allAbsent(): Iterable<AbsentNode> {
    return this.absent.values()
  }

  isAbsent(absent: AbsentNode): boolean {
    return this.absent.get(absent.node.id) === absent
  }

  forget(absent: AbsentNode): void {
    if (this.isAbsent(absent)) this.absent.delete(absent.node.id)
  }

  attach(connected: ConnectedNode): void {
    const { id } = connected.node
    this.connected.get(id)?.link.end('superseded')
    this.connected.set(id, connected)
    this.absent.delete(id)
  }

  /** The socket is gone; the node keeps its tasks until it counts as offline. */
  detach(connected: ConnectedNode): void {
    const { node, lastHeard } = connected
    if (this.connected.get(node.id) !== connected) return
    this.connected.delete(node.id)
    this.absent.set(node.id, { node, lastHeard })
  }

  slots(): Slot[] {
    const now = performance.now()
    const slots: Slot[] = []
    for (const connected of this.connected.values()) {
      for (const [task, until] of connected.refused) if (until <= now) connected.refused.delete(task)
      if (connected.free === 0) continue
      slots.push({
        nodeId: connected.node.id,
        socket: connected.socket,
        taskTypes: connected.taskTypes,
        free: connected.free,
        probing: connected.probing,
        refused: new Set(connected.refused.keys()),
      })
    }
    return slots
  }

  /** Records a task as held, after its lease or from a returning node's `hello`. */
  hold(connected: ConnectedNode, task: Task): void {
    connected.held.set(task.uuid, {
      taskId: task.id,
      taskType: task.taskType,
      attempt: task.attempt,
      accepted: task.status === 'running',
      progress: task.progress,
      currentItem: task.currentItem,
      log: { taskId: task.id, attempt: task.attempt, lines: 0, waiting: 0, lost: 0 },
      drains: connected.drains,
      ending: undefined,
    })
  }

  release(connected: ConnectedNode, taskUuid: string, attempt: number): void {
    const held = connected.held.get(taskUuid)
    if (held?.attempt !== attempt) return
    clearTimeout(held.ending)
    connected.held.delete(taskUuid)
    this.dirtyProgress.delete(taskUuid)
    this.publish(connected)
    this.onRoom()
  }

  /** The node does not want this task now; it is not offered to it again for half a minute. */
  refuse(connected: ConnectedNode, taskUuid: string): void {
    connected.refused.set(taskUuid, performance.now() + REFUSAL_MS)
  }

  /** The attempt when this node holds it and it is not ending; undefined: stale. */
  current(connected: ConnectedNode, taskUuid: string, attempt: number): HeldAttempt | undefined {
    const held = connected.held.get(taskUuid)
    return held?.attempt === attempt && !held.ending ? held : undefined
  }

  heartbeat(connected: ConnectedNode, heard: HeardReading): void {
    connected.lastHeard = performance.now()
    this.record(connected.node, completeReading(heard, connected.reading), connected, true)
  }

  /** A heartbeat over REST of a node whose socket here does not show that it lives: what it holds, nobody holds. */
  restHeartbeat(connected: ConnectedNode, heard: HeardReading): void {
    this.record(connected.node, completeReading(heard, connected.reading), connected, false)
  }

  /** A heartbeat of a node that has no socket here. */
  heartbeatOfAbsent(node: Node, heard: HeardReading): void {
    this.absent.set(node.id, { node, lastHeard: performance.now() })
    const known = this.ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
    const { cpuUsage, memoryUsage, gpus } = node
    this.record(node, completeReading(heard, known ?? { cpuUsage, memoryUsage, gpus }), undefined, false)
  }

  /** Takes a reading in: to the bus now, to the database with the next batch. */
  private record(node: Node, reading: Reading, connected: ConnectedNode | undefined, alive: boolean): void {
    if (connected) connected.reading = reading
    const state: NodeState = {
      ...reading,
      nodeId: node.id,
      nodeUuid: node.uuid,
      status: statusOf(node),
      runningTasks: connected ? runningTasks(connected) : [],
      timestamp: new Date().toISOString(),
    }
    this.dirtyReadings.set(node.id, { ...state, connected: alive })
    this.ctx.bus.setState(nodeTopic(node.uuid), state)
  }

  progress(held: HeldAttempt, taskUuid: string, percent: number, currentItem: string | undefined): void {
    const progress = shownProgress(percent)
    held.progress = progress
    held.currentItem = currentItem ?? held.currentItem
    const report: TaskState = { attempt: held.attempt, progress, currentItem: held.currentItem }
    this.dirtyProgress.set(taskUuid, { taskId: held.taskId, ...report })
    this.ctx.bus.setState(taskTopic(taskUuid), report)
  }

  log(held: HeldAttempt, line: Pick<NewLog, 'level' | 'message'>): void {
    this.logs.add(held.log, line)
  }

  /** A log line that this server heard and did not keep. */
  logLost(held: HeldAttempt): void {
    this.logs.lose(held.log)
  }

  /** Resolves when the lines of an attempt are stored, or can't be stored for now. */
  logStored(held: HeldAttempt): Promise<void> {
    return this.logs.whenStored(held.log)
  }

  /** The node has other room than before: an administrator or its GPUs changed it. */
  resize(connected: ConnectedNode, ownLimit: number): void {
    const grown = ownLimit > connected.ownLimit
    connected.ownLimit = ownLimit
    if (grown) this.onRoom()
  }

  /** Publishes the newest state of a node again, after its tasks or its status changed. */
  publish(connected: ConnectedNode): void {
    const known = this.ctx.bus.getState(nodeTopic(connected.node.uuid)) as NodeState | undefined
    if (!known) return
    this.ctx.bus.setState(nodeTopic(connected.node.uuid), {
      ...known,
      status: statusOf(connected.node),
      runningTasks: runningTasks(connected),
    })
  }

  /** Stops what another server has ended and could not tell: without a broker nobody else would. */
  async reconcile(): Promise<void> {
    const held = [...this.connected.values()].flatMap((connected) =>
      [...connected.held].map(([taskUuid, { taskId, attempt }]) => ({
        nodeId: connected.node.id,
        taskUuid,
        taskId,
        attempt,
      })),
    )
    for (const { nodeId, taskUuid, attempt } of await endedAttempts(this.ctx, held)) {
      const connected = this.connected.get(nodeId)
      if (connected && this.current(connected, taskUuid, attempt)) {
        this.command(nodeId, { type: 'cancel', taskId: taskUuid, attempt })
      }
    }
  }

  /** Writes what is only in memory. */
  async flush(): Promise<void> {
    await Promise.all([this.flushReadings(), this.flushProgress(), this.logs.flush()])
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer)
    for (const { held } of this.connected.values())
      for (const { ending } of held.values()) clearTimeout(ending)
    await this.flush()
  }

  private command(nodeId: number, command: NodeCommand): void {
    const connected = this.connected.get(nodeId)
    if (!connected) return
    switch (command.type) {
      case 'cancel':
      case 'lost': {
        const held = connected.held.get(command.taskId)
        connected.link.cancel(command.taskId, command.attempt)
        if (held?.attempt !== command.attempt || held.ending) return
        if (command.type === 'lost' && !held.accepted && !held.answered) connected.ignored()
        held.ending = setTimeout(() => this.release(connected, command.taskId, command.attempt), ENDING_MS)
        return
      }
      case 'changed':
        return this.onChanged(connected)
    }
  }

  /** While the database hangs, one flush of a kind waits for it, and no more. */
  private every(ms: number, flush: () => Promise<void>): ReturnType<typeof setInterval> {
    let flushing = false
    return setInterval(async () => {
      if (flushing) return
      flushing = true
      await flush()
      flushing = false
    }, ms)
  }

  private async flushReadings(): Promise<void> {
    const states = [...this.dirtyReadings.values()]
    this.dirtyReadings.clear()
    await this.save('readings', () => saveReadings(this.ctx, states))
  }

  private async flushProgress(): Promise<void> {
    const reports = [...this.dirtyProgress]
    this.dirtyProgress.clear()
    await this.save('progress', async () => {
      const left = new Set(
        await saveProgress(
          this.ctx,
          reports.map(([, report]) => report),
        ),
      )
      for (const [uuid, report] of reports) {
        if (left.has(report.taskId) && !this.dirtyProgress.has(uuid)) this.dirtyProgress.set(uuid, report)
      }
    })
  }

  /** State that could not be stored is replaced by the next one; the failure is not the node's business. */
  private async save(what: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      this.ctx.log.warn({ err: error }, `could not store the ${what} of nodes`)
    }
  }
}

const runningTasks = ({ held }: ConnectedNode) =>
  [...held]
    .filter(([, attempt]) => attempt.accepted && !attempt.ending)
    .map(([taskUuid, { progress }]) => ({ taskUuid, progress }))
