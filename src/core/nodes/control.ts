/** What a node may do, from its first frame to its silence; the sockets and the REST heartbeat call this. */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { type GpuReading, nodes } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { acceptAttempt, heldTasks, loseAttempts, rejectAttempt, settleAttempt } from '../tasks/attempts.ts'
import type { Ending } from '../tasks/settlement.ts'
import type { Task } from '../tasks/tasks.ts'
import { transaction } from '../transaction.ts'
import { Dispatcher } from './dispatcher.ts'
import { ConnectedNode, Fleet, type NodeLink } from './fleet.ts'
import type { Node } from './nodes.ts'
import type { Reading } from './presence.ts'
import { Sweeper } from './sweeper.ts'

export interface Introduction {
  maxConcurrentTasks: number
  taskTypes: string[]
  gpus: Pick<GpuReading, 'gpu_id' | 'name' | 'memory_total'>[]
  running: { taskUuid: string; attempt: number }[]
}

/** Answers to a frame that names an attempt: done, or not this node's any more. */
export type Verdict = 'ok' | 'stale'

export class NodeControl {
  readonly fleet: Fleet
  private readonly dispatcher: Dispatcher
  private readonly sweeper: Sweeper

  constructor(private readonly ctx: Core) {
    this.dispatcher = new Dispatcher(ctx, () => this.fleet)
    this.fleet = new Fleet(
      ctx,
      () => this.dispatcher.wake(),
      (connected) =>
        void this.reload([connected]).catch((error) => {
          ctx.log.warn({ err: error }, 'a change of a node could not be read; the next look finds it')
        }),
    )
    this.sweeper = new Sweeper(ctx, this.fleet, () => this.reconcile())
  }

  /**
   * A node has connected and said what it is and what it holds. What it holds and may keep goes on; what it does not
   * name is lost at once; what is not its own any more it is told to stop. Undefined: its token ended before it spoke.
   */
  async introduce(node: Node, hello: Introduction, link: NodeLink): Promise<ConnectedNode | undefined> {
    const known = new Map(node.gpus.map((gpu) => [gpu.gpu_id, gpu]))
    const gpus = hello.gpus.map((gpu) => ({ usage: 0, memory_used: 0, ...known.get(gpu.gpu_id), ...gpu }))
    const present = await this.markOnline(node, { taskTypes: hello.taskTypes, gpus })
    if (!present) {
      link.end('revoked')
      return undefined
    }
    // First, so that an assignment can't come before it.
    link.welcome()
    const connected = new ConnectedNode(present, link, new Set(hello.taskTypes), hello.maxConcurrentTasks)

    const named = new Map(hello.running.map(({ taskUuid, attempt }) => [taskUuid, attempt]))
    const held = await heldTasks(this.ctx, node.id)
    const kept = held.filter((task) => named.get(task.uuid) === task.attempt)
    const lost = held.filter((task) => !kept.includes(task))
    if (lost.length > 0) {
      // A node whose connection stands has not restarted: a second program may be using its token.
      const reason = this.fleet.get(node.id)
        ? 'Another connection with the token of this node took its place, without the task'
        : 'The node restarted and lost the task'
      await transaction(this.ctx, (tx) => loseAttempts(tx, lost, reason))
    }
    this.fleet.attach(connected)
    try {
      for (const task of kept) {
        const running = task.status === 'running' ? task : await this.accepted(node, task)
        if (running) this.fleet.hold(connected, running)
      }
    } catch (error) {
      this.fleet.detach(connected)
      throw error
    }
    for (const { taskUuid, attempt } of hello.running) {
      if (!this.fleet.current(connected, taskUuid, attempt)) link.cancel(taskUuid, attempt)
    }
    if (present.draining) link.drain()
    this.dispatcher.wake()
    return connected
  }

  leave(connected: ConnectedNode): void {
    this.fleet.detach(connected)
  }

  async heartbeat(connected: ConnectedNode, reading: Reading): Promise<void> {
    if (!connected.node.online) {
      const present = await this.markOnline(connected.node)
      if (!present) return connected.link.end('revoked')
      connected.node = present
      this.dispatcher.wake()
    }
    this.fleet.heartbeat(connected, reading)
  }

  /** A heartbeat over REST; the node may or may not have a socket too. */
  async restHeartbeat(node: Node, reading: Reading): Promise<void> {
    const connected = this.fleet.get(node.id)
    if (connected) return this.heartbeat(connected, reading)
    const present = node.online ? node : await this.markOnline(node)
    if (present) this.fleet.heartbeatOfAbsent(present, reading)
  }

  async accept(connected: ConnectedNode, taskUuid: string, attempt: number): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    const task = held && (await acceptAttempt(this.ctx, key(connected, taskUuid, attempt)))
    if (!task) return 'stale'
    held.accepted = true
    this.fleet.publish(connected)
    return 'ok'
  }

  /** A node says only once that it has begun: when that could not be stored, what it says next stands for it. */
  private async begun(connected: ConnectedNode, taskUuid: string, attempt: number): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    return !held || held.accepted ? 'ok' : this.accept(connected, taskUuid, attempt)
  }

  async reject(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    reason: string,
  ): Promise<Verdict> {
    if (reason === 'draining') connected.leaving = true
    // Before it is back in the queue, from which this node would be offered it again.
    this.fleet.refuse(connected, taskUuid)
    const rejected = await rejectAttempt(this.ctx, key(connected, taskUuid, attempt), reason)
    this.fleet.release(connected, taskUuid, attempt)
    return rejected ? 'ok' : 'stale'
  }

  async progress(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    report: { progress: number; currentItem: string | undefined },
  ): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    if (!held || (await this.begun(connected, taskUuid, attempt)) === 'stale') return 'stale'
    this.fleet.progress(held, taskUuid, report.progress, report.currentItem)
    return 'ok'
  }

  log(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    line: { level: string; message: string },
  ): Verdict {
    const held = this.fleet.current(connected, taskUuid, attempt)
    if (!held) return 'stale'
    this.fleet.log(held, line)
    return 'ok'
  }

  /** The final word on an attempt; `ok` also when it is said again, which changes nothing. */
  async settle(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    ending: Extract<Ending, { status: 'completed' | 'failed' }>,
  ): Promise<Verdict> {
    await this.begun(connected, taskUuid, attempt)
    const outcome = await settleAttempt(this.ctx, key(connected, taskUuid, attempt), ending)
    this.fleet.release(connected, taskUuid, attempt)
    return outcome === 'stale' ? 'stale' : 'ok'
  }

  async close(): Promise<void> {
    this.dispatcher.close()
    this.sweeper.close()
    await this.fleet.close()
  }

  private accepted(node: Node, task: Task): Promise<Task | undefined> {
    return acceptAttempt(this.ctx, { nodeId: node.id, taskUuid: task.uuid, attempt: task.attempt })
  }

  /** Undefined when the node was removed, or given another token, since it signed in with this one. */
  private async markOnline({ id, tokenHash }: Node, change: Partial<Node> = {}): Promise<Node | undefined> {
    const [node] = await this.ctx.db
      .update(nodes)
      .set({ ...change, online: true, lastHeartbeatAt: sql`now()` })
      .where(and(eq(nodes.id, id), eq(nodes.tokenHash, tokenHash), isNull(nodes.deletedAt)))
      .returning()
    return node
  }

  /** Finds what another server has done and could not tell: without a broker nobody else would. */
  private async reconcile(): Promise<void> {
    await this.fleet.reconcile()
    await this.reload([...this.fleet.all()])
  }

  /** Takes in what administrators, or other servers, have made of these nodes. */
  private async reload(connected: ConnectedNode[]): Promise<void> {
    const ids = connected.map(({ node }) => node.id)
    const rows = ids.length > 0 ? await this.ctx.db.select().from(nodes).where(inArray(nodes.id, ids)) : []
    const stored = new Map(rows.map((row) => [row.id, row]))
    for (const each of connected) this.adopt(each, stored.get(each.node.id))
  }

  private adopt(connected: ConnectedNode, stored: Node | undefined): void {
    const known = connected.node
    if (!stored || stored.deletedAt || stored.tokenHash !== known.tokenHash)
      return connected.link.end('revoked')
    if (stored.updatedAt <= known.updatedAt && stored.online === known.online) return
    connected.node = stored
    if (known.draining && !stored.draining) connected.link.welcome()
    if (!known.draining && stored.draining) connected.link.drain()
    this.fleet.publish(connected)
    this.dispatcher.wake()
  }
}

const key = (connected: ConnectedNode, taskUuid: string, attempt: number) => ({
  nodeId: connected.node.id,
  taskUuid,
  attempt,
})
