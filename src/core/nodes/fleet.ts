/**
 * The nodes that this server hears: what each runs, and its newest figures. This file keeps them in memory, publishes them
 * on the bus and stores them in batches. `core/tasks/attempts.ts` decides what a report changes, by the database.
 */

import type { Context } from '../context.ts'
import { endedAttempts } from '../tasks/attempts.ts'
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
import type { ConnectedNode, HeldAttempt } from './connected-node.ts'
import { LogBuffer } from './log-buffer.ts'
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

const FLUSH_PROGRESS_MS = 1000
/** A node that does not confirm the end of a cancelled task gets its slot back after this time. */
const ENDING_MS = 10_000
const REFUSAL_MS = 30_000

/** A node that this server has heard and that has no socket here: it has left, or it reports over REST. */
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
    /** Runs when a slot may have become free. */
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

  /** Nodes without a socket here that this server judges by when it heard them last. */
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

  /** The socket has closed. The node keeps its tasks until it is offline. */
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

  /** Records that the node holds a task: after the lease, or by the `hello` of a node that came back. */
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

  /** The node refused this task. It does not get the task again for half a minute. */
  refuse(connected: ConnectedNode, taskUuid: string): void {
    connected.refused.set(taskUuid, performance.now() + REFUSAL_MS)
  }

  /** @returns the attempt when this node holds it and the server has not ended it; undefined when it is stale */
  current(connected: ConnectedNode, taskUuid: string, attempt: number): HeldAttempt | undefined {
    const held = connected.held.get(taskUuid)
    return held?.attempt === attempt && !held.ending ? held : undefined
  }

  heartbeat(connected: ConnectedNode, heard: HeardReading): void {
    connected.lastHeard = performance.now()
    this.record(connected.node, completeReading(heard, connected.reading), connected, true)
  }

  /** A heartbeat over REST of a node whose socket here is silent. It does not keep the node's tasks. */
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

  /** Publishes a reading on the bus at once and stores it with the next batch. */
  private record(node: Node, reading: Reading, connected: ConnectedNode | undefined, alive: boolean): void {
    if (connected) connected.reading = reading
    const state: NodeState = {
      ...reading,
      nodeId: node.id,
      nodeUuid: node.uuid,
      status: statusOf(node),
      runningTasks: connected ? connected.runningTasks : [],
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

  /** Counts a log line that this server received and did not keep. */
  logLost(held: HeldAttempt): void {
    this.logs.lose(held.log)
  }

  /** Resolves when the lines of an attempt are stored, or when the database cannot store them now. */
  logStored(held: HeldAttempt): Promise<void> {
    return this.logs.whenStored(held.log)
  }

  /** The node allows another number of tasks than before. */
  resize(connected: ConnectedNode, ownLimit: number): void {
    const grown = ownLimit > connected.ownLimit
    connected.ownLimit = ownLimit
    if (grown) this.onRoom()
  }

  /** Publishes the state of a node after its tasks or its status changed. */
  publish(connected: ConnectedNode): void {
    const known = this.ctx.bus.getState(nodeTopic(connected.node.uuid)) as NodeState | undefined
    if (!known) return
    this.ctx.bus.setState(nodeTopic(connected.node.uuid), {
      ...known,
      status: statusOf(connected.node),
      runningTasks: connected.runningTasks,
    })
  }

  /** Cancels attempts that another server has ended. Without a broker this is the only way to learn of them. */
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

  /** While the database hangs, only one flush of each kind waits for it. */
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

  /** The next flush replaces a state that could not be stored, so that a failure is only logged. */
  private async save(what: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      this.ctx.log.warn({ err: error }, `could not store the ${what} of nodes`)
    }
  }
}
