import { and, eq, isNull, sql } from 'drizzle-orm'
import { nodes } from '../../db/schema/index.ts'
import { Ages } from '../../util/ages.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import type { Context, Tx } from '../context.ts'
import { sweepOne } from '../sweeps.ts'
import { ACCEPT_SECONDS, expireAssignments, expireRunning } from '../tasks/expiry.ts'
import { failure } from '../tasks/failures.ts'
import { heldTasks, loseAttempts } from '../tasks/lost-attempts.ts'
import { nodeEvent } from './events.ts'
import type { Fleet } from './fleet.ts'
import { Placement } from './placement.ts'
import { type NodeState, nodeTopic, statusOf } from './presence.ts'
import type { Node } from './rows.ts'
import { loseUnheld, nodesWithTasks } from './unheld.ts'

/** A node is offline when it has missed this many heartbeats. */
export const SILENT_HEARTBEATS = 3
/** A type is missing when no node has offered it for this many heartbeats: a node that restarts is back sooner. */
const MISSING_HEARTBEATS = 6
/** How long the storing of a batch of readings may take. */
const STORING_MS = 1000
/** For nodes of other servers. Their own server takes assignments back sooner, unless it is gone. */
const ACCEPT_SECONDS_ELSEWHERE = 3 * ACCEPT_SECONDS
/** How late this server may learn of another server's change when the hint was lost. */
const RECONCILE_MS = 2000

/** Finds silent nodes, unanswered assignments, tasks that run too long and tasks that no node can run. */
export class Sweeper {
  private readonly heartbeatMs: number
  private readonly silenceMs: number
  /** Since when this process has run without a break, and since when it has read the nodes without a break. */
  private awakeSince = performance.now()
  private lookingSince = this.awakeSince
  private lastTick = this.awakeSince
  private lastLook = this.awakeSince
  /**
   * Online nodes as they were read last, and how long each has had its stored times of the last heartbeat (any, and over
   * a socket).
   */
  private online = new Map<number, Node>()
  private readonly heartbeats = new Ages()
  private readonly socketHeartbeats = new Ages()
  private readonly assignments = new Ages()
  private readonly runs = new Ages()
  private readonly timers: ReturnType<typeof setInterval>[]
  /** Sweeps that are due. They run one after the other because they judge the same nodes, and each gets its turn. */
  private readonly due = new Set<() => Promise<void>>()
  private sweeping = false

  constructor(
    private readonly ctx: Context,
    private readonly fleet: Fleet,
    /** Finds what other servers have changed about nodes and tasks of this server. */
    reconcile: () => Promise<void>,
  ) {
    this.heartbeatMs = ctx.config.nodeHeartbeatSeconds * 1000
    this.silenceMs = SILENT_HEARTBEATS * this.heartbeatMs
    const placement = new Placement(ctx, MISSING_HEARTBEATS * this.heartbeatMs)
    this.timers = [
      this.every(Math.min(1000, this.heartbeatMs / 2), async () => {
        await this.look()
        await this.silentHere()
        await this.absentHere()
      }),
      this.every(this.heartbeatMs, () => this.silentElsewhere()),
      this.every(this.heartbeatMs, () => this.unheld()),
      this.every(RECONCILE_MS, reconcile),
      this.every(5000, () => this.overdue()),
      this.every(this.heartbeatMs, () => placement.sweep()),
    ]
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer)
    this.due.clear()
  }

  private every(ms: number, sweep: () => Promise<void>): ReturnType<typeof setInterval> {
    return setInterval(() => {
      // The process stood still (a suspended machine), so that frames of nodes still wait to be read.
      const now = performance.now()
      if (now - this.lastTick > this.heartbeatMs) this.awakeSince = now
      this.lastTick = now
      this.due.add(sweep)
      if (!this.sweeping) void this.run()
    }, ms)
  }

  private async run(): Promise<void> {
    this.sweeping = true
    // A sweep that falls due meanwhile joins at the end.
    for (const sweep of this.due) {
      this.due.delete(sweep)
      try {
        await sweep()
      } catch (error) {
        this.ctx.log.warn({ err: error }, 'a sweep over nodes and leases failed')
      }
    }
    this.sweeping = false
  }

  private async overdue(): Promise<void> {
    await expireAssignments(this.ctx, this.assignments, (nodeId) => this.patience(nodeId))
    await expireRunning(this.ctx, this.runs)
  }

  /** In seconds. A server that has frames of its node to handle must not count the node as silent. */
  private patience(nodeId: number): number {
    const connected = this.fleet.get(nodeId)
    if (!connected) return ACCEPT_SECONDS_ELSEWHERE
    return connected.link.backlog > 0 ? Number.POSITIVE_INFINITY : ACCEPT_SECONDS
  }

  /** Reads the nodes. The server that hears a node stores its readings once per heartbeat. */
  private async look(): Promise<void> {
    const at = performance.now()
    const rows = await this.ctx.db
      .select({
        node: nodes,
        seconds: sql<number | null>`extract(epoch from now() - ${nodes.lastHeartbeatAt})::float8`,
        socketSeconds: sql<number | null>`extract(epoch from now() - ${socketHeardAt})::float8`,
      })
      .from(nodes)
      .where(eq(nodes.online, true))
    this.heartbeats.look(
      rows.map(({ node, seconds }) => ({ key: heartbeatKey(node), seconds })),
      at,
    )
    this.socketHeartbeats.look(
      rows.map(({ node, socketSeconds }) => ({ key: socketKey(node), seconds: socketSeconds })),
      at,
    )
    this.online = new Map(rows.map(({ node }) => [node.id, node]))
    if (this.lookIsOld()) this.lookingSince = performance.now()
    this.lastLook = performance.now()
  }

  /**
   * The node as it was read last, when no server has stored a heartbeat of it for `ms`. By the monotonic clock, because a
   * step of the database's clock would make every node silent at once, or none for an hour.
   */
  private unheardFor(ms: number, nodeId: number): Node | undefined {
    const node = this.online.get(nodeId)
    return node && this.heartbeats.of(heartbeatKey(node))! >= ms ? node : undefined
  }

  private async silentHere(): Promise<void> {
    const before = performance.now() - this.silenceMs
    for (const connected of this.fleet.all()) {
      const heard = () => this.heardSince(before, connected)
      if (!connected.node.online || heard()) continue
      const { node } = connected
      // Offline in memory first, so that the node does not get the tasks again that it loses.
      connected.node = { ...node, online: false }
      const stored = this.unheardFor(this.silenceMs - this.heartbeatMs, node.id)
      const done = stored
        ? await this.markOffline(stored, () => !heard()).catch((error) => {
            connected.node = node
            throw error
          })
        : false
      if (done === undefined) connected.node = node
      // Another server hears the node: it has moved there, and the socket here is dead.
      else if (!done && !heard()) connected.link.end('superseded')
    }
  }

  /** Nodes that left this server or report over REST. This server knows better than the database when it heard them. */
  private async absentHere(): Promise<void> {
    if (!this.looking()) return
    const now = performance.now()
    const before = now - this.silenceMs
    for (const absent of this.fleet.allAbsent()) {
      if (this.heardSince(before, absent)) continue
      const { node, lastHeard } = absent
      // The last heartbeat that this server heard is stored late. A later one is of another server, which judges from
      // then on.
      const stored = this.unheardFor(now - lastHeard - this.heartbeatMs - STORING_MS, node.id)
      const done = stored ? await this.markOffline(stored, () => this.fleet.isAbsent(absent)) : false
      if (done !== undefined) this.fleet.forget(absent)
    }
  }

  private heardSince(time: number, { lastHeard }: { lastHeard: number }): boolean {
    return Math.max(lastHeard, this.awakeSince) > time
  }

  /**
   * Nodes whose server is gone, or that have not come back to a server. They get more time than nodes of this server, because
   * stored heartbeats are older. After a start nodes get the time to come back, and after a time without the database their
   * servers get the time to store heartbeats.
   */
  private async silentElsewhere(): Promise<void> {
    if (!this.looking()) return
    for (const id of this.online.keys()) {
      const node = this.unheardFor(this.silenceMs + this.heartbeatMs + STORING_MS, id)
      if (!node || this.fleet.get(id)?.node.online || this.heardElsewhere(node)) continue
      await this.markOffline(node)
    }
  }

  /**
   * Tasks of nodes that are online because they report over REST, but have no socket on any server. The database knows this,
   * because every server stores which nodes it hears over a socket.
   */
  private async unheld(): Promise<void> {
    if (!this.looking()) return
    const ms = this.silenceMs + this.heartbeatMs + STORING_MS
    const silent = [...this.online.values()].filter(
      (node) => this.socketHeartbeats.of(socketKey(node))! >= ms,
    )
    for (const node of await nodesWithTasks(this.ctx, silent)) {
      const connected = this.fleet.get(node.id)
      if (connected && this.heardSince(performance.now() - this.silenceMs, connected)) continue
      const done = await loseUnheld(this.ctx, node)
      if (done) this.ctx.log.info({ node: node.name }, 'a node without a connection has lost its tasks')
    }
  }

  private lookIsOld(): boolean {
    return performance.now() - this.lastLook > 2.5 * this.heartbeatMs
  }

  /** Whether nodes and their servers have had the time to store heartbeats since the database was last away. */
  private looking(): boolean {
    return !this.lookIsOld() && performance.now() - this.lookingSince >= this.silenceMs
  }

  private heardElsewhere(node: Node): boolean {
    const ago = this.ctx.bus.stateAge(nodeTopic(node.uuid))
    return ago !== undefined && ago < this.silenceMs
  }

  /**
   * Marks a node as offline, unless a server has stored a heartbeat since the node was read.
   * @param silent asked again after the first query, because the database may have hung
   * @returns whether the node was marked; undefined when another transaction holds its row: the next sweep tries again
   */
  private async markOffline(node: Node, silent = () => true): Promise<boolean | undefined> {
    const { id, lastHeartbeatAt: heartbeat } = node
    const unheard = heartbeat ? eq(nodes.lastHeartbeatAt, heartbeat) : isNull(nodes.lastHeartbeatAt)
    const held = await heldTasks(this.ctx, node.id)
    if (!silent()) return false
    const mark = async (tx: Tx) => {
      const marked = await tx.db
        .update(nodes)
        .set({ online: false })
        .where(and(eq(nodes.id, id), eq(nodes.online, true), unheard))
        .returning({ id: nodes.id })
      if (marked.length === 0) return false
      await emitToHolders(tx, 'node', 'gpu.offline', nodeEvent(node))
      return true
    }
    const together = await sweepOne(this.ctx, async (tx) => {
      const marked = await mark(tx)
      if (marked) await loseAttempts(tx, held, failure('node_offline', { name: node.name }))
      return marked
    })
    // Another transaction holds the row of one of its tasks. The sweep over tasks that no node holds takes that task later.
    const outcome = together ?? (await sweepOne(this.ctx, mark))
    if (!outcome) return undefined
    const done = outcome.result
    if (!together && done) await loseUnheld(this.ctx, { ...node, online: false })
    const state = this.ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
    const status = statusOf({ ...node, online: false })
    // Also without a state, so that watchers read the stored one.
    if (done) {
      this.ctx.bus.setState(nodeTopic(node.uuid), state && { ...state, status, runningTasks: [] })
    }
    if (done) this.ctx.log.info({ node: node.name }, 'a node went offline')
    return done
  }
}

/** Rows that are older than the column `socket_heard_at` have no time there. */
const socketHeardAt = sql`coalesce(${nodes.socketHeardAt}, ${nodes.lastHeartbeatAt})`
const socketKey = (node: Node) => `${node.id}:${(node.socketHeardAt ?? node.lastHeartbeatAt)?.getTime()}`
const heartbeatKey = ({ id, lastHeartbeatAt }: Node) => `${id}:${lastHeartbeatAt?.getTime()}`
