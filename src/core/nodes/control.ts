/** What a node may do. The sockets of nodes and the heartbeat over REST call this. */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { nodes } from '../../db/schema/index.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import { maskedText } from '../audit/mask.ts'
import type { Context, Tx } from '../context.ts'
import {
  acceptAttempt,
  CANNOT_START,
  endAttempt,
  type FinalReport,
  forgetCannotStart,
  type Rejection,
  rejectAttempt,
} from '../tasks/attempts.ts'
import { failure } from '../tasks/failures.ts'
import { heldTasks, loseAttempts } from '../tasks/lost-attempts.ts'
import type { Task } from '../tasks/rows.ts'
import { transaction } from '../transaction.ts'
import { ConnectedNode, type NodeLink } from './connected-node.ts'
import { Dispatcher } from './dispatcher.ts'
import { nodeEvent } from './events.ts'
import { Fleet } from './fleet.ts'
import { completeGpu, type HeardGpu, type HeardReading } from './presence.ts'
import type { Node } from './rows.ts'
import { SILENT_HEARTBEATS, Sweeper } from './sweeper.ts'

/** Of a node's own text, in characters. Administrators read it whole in the details of the node. */
const MAX_LOGGED = 300

export interface Introduction {
  maxConcurrentTasks: number
  taskTypes: string[]
  gpus: HeardGpu[]
  running: { taskUuid: string; attempt: number }[]
}

/** The answer to a frame that names an attempt: done, or the attempt does not belong to this node any more. */
export type Verdict = 'ok' | 'stale'

export class NodeControl {
  readonly fleet: Fleet
  private readonly dispatcher: Dispatcher
  private readonly sweeper: Sweeper

  constructor(private readonly ctx: Context) {
    this.dispatcher = new Dispatcher(ctx, () => this.fleet)
    this.fleet = new Fleet(
      ctx,
      () => this.dispatcher.wake(),
      (connected) =>
        void this.reload([connected]).catch((error) => {
          ctx.log.warn({ err: error }, 'a change of a node could not be read; the next sweep reads it')
        }),
    )
    this.sweeper = new Sweeper(ctx, this.fleet, () => this.reconcile())
  }

  /**
   * A node has connected and sent `hello`. The attempts that `hello` names and that belong to the node go on; its attempts
   * that `hello` does not name are lost at once; the node is told to stop the others. A `hello` of a socket that has closed,
   * or that is older than another one of the node, changes nothing.
   * @param socket the number of the node's socket; newer sockets have higher numbers
   * @returns undefined when `hello` changed nothing
   */
  async introduce(
    node: Node,
    socket: number,
    hello: Introduction,
    link: NodeLink,
  ): Promise<ConnectedNode | undefined> {
    const outcome = await transaction(this.ctx, (tx) => this.takeIn(tx, node, socket, hello, link))
    if (outcome === 'superseded' || outcome === 'revoked') link.end(outcome)
    if (typeof outcome === 'string' || !link.alive) return undefined
    const { updated, kept } = outcome
    // The node gets `welcome` before any assignment.
    link.welcome()
    const connected = new ConnectedNode(updated, link, new Set(hello.taskTypes), hello.maxConcurrentTasks)
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
    if (updated.draining) link.drain()
    this.dispatcher.wake()
    return connected
  }

  private async takeIn(tx: Tx, node: Node, socket: number, hello: Introduction, link: NodeLink) {
    // The lock orders the sockets of a node on all servers.
    const [stored] = await tx.db.select().from(nodes).where(eq(nodes.id, node.id)).for('no key update')
    if (!link.alive) return 'closed'
    if (!stored || stored.deletedAt || stored.tokenHash !== node.tokenHash) return 'revoked'
    if (stored.socket >= socket) return 'superseded'
    const known = new Map(stored.gpus.map((gpu) => [gpu.gpuId, gpu]))
    const gpus = hello.gpus.map((gpu) => completeGpu(gpu, known.get(gpu.gpuId)))
    const [updated] = await tx.db
      .update(nodes)
      .set({ taskTypes: hello.taskTypes, gpus, socket, ...heardNow })
      .where(eq(nodes.id, node.id))
      .returning()
    if (!stored.online) await emitToHolders(tx, 'node', 'gpu.online', nodeEvent(updated!))
    // A node may also name an earlier attempt of the same task, whose result the server has not refused yet.
    const named = new Set(hello.running.map(({ taskUuid, attempt }) => `${taskUuid}:${attempt}`))
    const held = await heldTasks(tx, node.id)
    const kept = held.filter((task) => named.has(`${task.uuid}:${task.attempt}`))
    // A node with an open connection has not restarted: a second program may be using its token.
    const why = failure(this.fleet.get(node.id) ? 'node_replaced' : 'node_restarted')
    await loseAttempts(
      tx,
      held.filter((task) => !kept.includes(task)),
      why,
    )
    return { updated: updated!, kept }
  }

  leave(connected: ConnectedNode): void {
    this.fleet.detach(connected)
  }

  async heartbeat(connected: ConnectedNode, heard: HeardReading): Promise<void> {
    if (!(await this.revive(connected))) return
    if (heard.maxConcurrentTasks !== undefined) this.fleet.resize(connected, heard.maxConcurrentTasks)
    this.fleet.heartbeat(connected, heard)
  }

  /**
   * A heartbeat over REST, of a node with or without a socket. It keeps the node online, but not its tasks, because a node
   * without a living socket cannot report their end.
   */
  async restHeartbeat(node: Node, heard: HeardReading): Promise<void> {
    const connected = this.fleet.get(node.id)
    if (connected) {
      const lives = connected.link.quietMs < SILENT_HEARTBEATS * this.ctx.config.nodeHeartbeatSeconds * 1000
      connected.link.sendPing()
      if (lives) return this.heartbeat(connected, heard)
      if (await this.revive(connected)) this.fleet.restHeartbeat(connected, heard)
      return
    }
    const online = node.online ? node : await this.markOnline(node)
    if (online) this.fleet.heartbeatOfAbsent(online, heard)
  }

  /** Makes a node that was offline online again. @returns false when the node was removed or has another token */
  private async revive(connected: ConnectedNode): Promise<boolean> {
    if (connected.node.online) return true
    const online = await this.markOnline(connected.node)
    if (!online) {
      connected.link.end('revoked')
      return false
    }
    connected.node = online
    this.dispatcher.wake()
    return true
  }

  async accept(connected: ConnectedNode, taskUuid: string, attempt: number): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    // Before the transaction, which may fail: the node has answered all the same.
    if (held) {
      held.answered = true
      connected.answered()
    }
    const task = held && (await acceptAttempt(this.ctx, key(connected, taskUuid, attempt)))
    if (!task) return 'stale'
    held.accepted = true
    this.fleet.publish(connected)
    return 'ok'
  }

  /**
   * A node sends `accept` only once. When that could not be stored, its next frame about the attempt counts as `accept`.
   */
  private async begun(connected: ConnectedNode, taskUuid: string, attempt: number): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    return !held || held.accepted ? 'ok' : this.accept(connected, taskUuid, attempt)
  }

  async reject(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    rejection: Rejection,
  ): Promise<Verdict> {
    const held = this.fleet.current(connected, taskUuid, attempt)
    connected.answered()
    const draining = rejection.reason === 'draining'
    // A node that refuses because of a drain takes the task again after the drain, which may have ended already.
    const serverDrains = draining && (connected.node.draining || held?.drains !== connected.drains)
    if (draining && !serverDrains) connected.leaving = true
    // Before the task is back in the queue, because the dispatcher would offer it to this node again.
    if (!serverDrains) this.fleet.refuse(connected, taskUuid)
    const rejected = await rejectAttempt(this.ctx, key(connected, taskUuid, attempt), rejection)
    if (rejected && rejection.reason === CANNOT_START) {
      connected.cannotStart(rejected.taskType!)
      const { name } = connected.node
      const { taskType } = rejected
      const reason = maskedText(rejection.detail ?? '', MAX_LOGGED)
      this.ctx.log.warn({ node: name, taskType, reason }, 'a node could not start a task')
    }
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

  /** Counts a log line for which this server had no room. */
  logLost(connected: ConnectedNode, taskUuid: string, attempt: number): void {
    const held = this.fleet.current(connected, taskUuid, attempt)
    if (held) this.fleet.logLost(held)
  }

  /** The node reports the end of an attempt. A repeated report is `ok` and changes nothing. */
  async end(
    connected: ConnectedNode,
    taskUuid: string,
    attempt: number,
    report: FinalReport,
  ): Promise<Verdict> {
    await this.begun(connected, taskUuid, attempt)
    const ending = this.fleet.current(connected, taskUuid, attempt)
    if (ending) await this.fleet.logStored(ending)
    const outcome = await endAttempt(this.ctx, key(connected, taskUuid, attempt), report)
    const held = this.fleet.current(connected, taskUuid, attempt)
    if (held && outcome === 'ended') await this.hasStarted(connected, held.taskType)
    this.fleet.release(connected, taskUuid, attempt)
    return outcome === 'stale' ? 'stale' : 'ok'
  }

  /** A task of this type has run on the node, so the note that the node cannot start this type goes. */
  private async hasStarted(connected: ConnectedNode, taskType: string | null): Promise<void> {
    const { node } = connected
    if (!node.cannotStart.some((one) => one.taskType === taskType)) return
    await transaction(this.ctx, (tx) => forgetCannotStart(tx, node.id, taskType))
  }

  async close(): Promise<void> {
    this.dispatcher.close()
    this.sweeper.close()
    await this.fleet.close()
  }

  private accepted(node: Node, task: Task): Promise<Task | undefined> {
    return acceptAttempt(this.ctx, { nodeId: node.id, taskUuid: task.uuid, attempt: task.attempt })
  }

  /** @returns undefined when the node was removed or got another token since it signed in */
  private async markOnline({ id, tokenHash }: Node): Promise<Node | undefined> {
    return transaction(this.ctx, async (tx) => {
      const mine = and(eq(nodes.id, id), eq(nodes.tokenHash, tokenHash), isNull(nodes.deletedAt))
      const [stored] = await tx.db
        .select({ online: nodes.online })
        .from(nodes)
        .where(mine)
        .for('no key update')
      if (!stored) return undefined
      const [node] = await tx.db
        .update(nodes)
        .set({ online: true, lastHeartbeatAt: sql`now()` })
        .where(eq(nodes.id, id))
        .returning()
      if (!stored.online) await emitToHolders(tx, 'node', 'gpu.online', nodeEvent(node!))
      return node
    })
  }

  /** Finds what other servers have changed. Without a broker this is the only way to learn of it. */
  private async reconcile(): Promise<void> {
    await this.fleet.reconcile()
    await this.reload([...this.fleet.all()])
  }

  /** Takes over what administrators or other servers have changed about these nodes. */
  private async reload(connected: ConnectedNode[]): Promise<void> {
    const ids = connected.map(({ node }) => node.id)
    const rows = ids.length > 0 ? await this.ctx.db.select().from(nodes).where(inArray(nodes.id, ids)) : []
    const stored = new Map(rows.map((row) => [row.id, row]))
    for (const each of connected) this.adopt(each, stored.get(each.node.id))
  }

  private endDrain(connected: ConnectedNode): void {
    connected.drains++
    connected.leaving = false
    connected.link.welcome()
  }

  private adopt(connected: ConnectedNode, stored: Node | undefined): void {
    const known = connected.node
    if (!stored || stored.deletedAt || stored.tokenHash !== known.tokenHash)
      return connected.link.end('revoked')
    if (stored.socket > connected.socket) return connected.link.end('superseded')
    // This row was read before a change that is known already.
    if (stored.revision < known.revision) return
    connected.node = stored
    if (known.draining && !stored.draining) this.endDrain(connected)
    if (!known.draining && stored.draining) {
      connected.drains++
      connected.link.drain()
    }
    if (sameToOthers(known, stored)) return
    this.fleet.publish(connected)
    this.dispatcher.wake()
  }
}

const heardNow = { online: true, lastHeartbeatAt: sql`now()`, socketHeardAt: sql`now()` }

/** Whether neither the state of the node nor its slots have changed. */
const sameToOthers = (a: Node, b: Node): boolean =>
  a.online === b.online && a.draining === b.draining && a.maxConcurrentTasks === b.maxConcurrentTasks

const key = (connected: ConnectedNode, taskUuid: string, attempt: number) => ({
  nodeId: connected.node.id,
  taskUuid,
  attempt,
})
