import { and, eq, isNull, sql } from 'drizzle-orm'
import { nodes } from '../../db/schema/index.ts'
import { Ages } from '../../util/ages.ts'
import type { Context, Tx } from '../context.ts'
import { sweepOne } from '../sweeps.ts'
import {
  ACCEPT_SECONDS,
  expireAssignments,
  expireRunning,
  heldTasks,
  loseAttempts,
} from '../tasks/attempts.ts'
import { failure } from '../tasks/failures.ts'
import type { Fleet } from './fleet.ts'
import { type NodeState, nodeTopic, statusOf } from './presence.ts'
import type { Node } from './rows.ts'
import { loseUnheld, thatHoldTasks } from './unheld.ts'

/** After this many heartbeats of silence a node is offline. */
export const SILENT_HEARTBEATS = 3
/** What a batch of readings may take to be stored. */
const STORING_MS = 1000
/** For nodes of other servers, which know better whether their nodes have answered; until they are gone themselves. */
const ACCEPT_SECONDS_ELSEWHERE = 3 * ACCEPT_SECONDS
/** How late this server may learn what another one has done, when no hint told it. */
const RECONCILE_MS = 2000

/** Looks for silent nodes, unanswered assignments and tasks that ran too long. */
export class Sweeper {
  private readonly heartbeatMs: number
  private readonly silenceMs: number
  /** Since when this process has run, and since when the database has shown it the nodes, without a break. */
  private awakeSince = performance.now()
  private lookingSince = this.awakeSince
  private lastTick = this.awakeSince
  private lastLook = this.awakeSince
  /** Online nodes as of the last look, and since when each has the times of its last heartbeat and of that over a socket. */
  private online = new Map<number, Node>()
  private readonly heartbeats = new Ages()
  private readonly socketHeartbeats = new Ages()
  private readonly assignments = new Ages()
  private readonly runs = new Ages()
  private readonly timers: ReturnType<typeof setInterval>[]
  /** One after the other, for they judge the same nodes; each gets its turn, however often others fall due. */
  private readonly due = new Set<() => Promise<void>>()
  private sweeping = false

  constructor(
    private readonly ctx: Context,
    private readonly fleet: Fleet,
    /** Finds what other servers have done to nodes and tasks of this one. */
    reconcile: () => Promise<void>,
  ) {
    this.heartbeatMs = ctx.config.nodeHeartbeatSeconds * 1000
    this.silenceMs = SILENT_HEARTBEATS * this.heartbeatMs
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
    ]
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer)
    this.due.clear()
  }

  private every(ms: number, sweep: () => Promise<void>): ReturnType<typeof setInterval> {
    return setInterval(() => {
      // The process stood still (a suspended machine): what nodes said meanwhile is yet to be read.
      const now = performance.now()
      if (now - this.lastTick > this.heartbeatMs) this.awakeSince = now
      this.lastTick = now
      this.due.add(sweep)
      if (!this.sweeping) void this.run()
    }, ms)
  }

  private async run(): Promise<void> {
    this.sweeping = true
    // What falls due meanwhile, also again, joins at the end.
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

  /** In seconds. A server that is behind with reading what its node said must not take that for silence. */
  private patience(nodeId: number): number {
    const connected = this.fleet.get(nodeId)
    if (!connected) return ACCEPT_SECONDS_ELSEWHERE
    return connected.link.backlog > 0 ? Number.POSITIVE_INFINITY : ACCEPT_SECONDS
  }

  /** How the database has the nodes: readings are stored once per heartbeat, by whichever server hears the node. */
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
   * A node as the last look showed it, when no server has stored a heartbeat of it for so long; by no wall clock,
   * because a step of the database's own would make every node silent at once, or none for an hour.
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
      // First here: what it loses must not be leased to it again.
      connected.node = { ...node, online: false }
      const stored = this.unheardFor(this.silenceMs - this.heartbeatMs, node.id)
      const done = stored
        ? await this.markOffline(stored, () => !heard()).catch((error) => {
            connected.node = node
            throw error
          })
        : false
      if (done === undefined) connected.node = node
      // Another server hears it: it has moved there, and this socket is a dead one.
      else if (!done && !heard()) connected.link.end('superseded')
    }
  }

  /** Nodes that left this server, or only report over REST: known here more exactly than from the database. */
  private async absentHere(): Promise<void> {
    if (!this.looking()) return
    const now = performance.now()
    const before = now - this.silenceMs
    for (const absent of this.fleet.allAbsent()) {
      if (this.heardSince(before, absent)) continue
      const { node, lastHeard } = absent
      // What this server heard last is stored late; anything after that is another server's, which judges from then on.
      const stored = this.unheardFor(now - lastHeard - this.heartbeatMs - STORING_MS, node.id)
      const done = stored ? await this.markOffline(stored, () => this.fleet.isAbsent(absent)) : false
      if (done !== undefined) this.fleet.forget(absent)
    }
  }

  private heardSince(time: number, { lastHeard }: { lastHeard: number }): boolean {
    return Math.max(lastHeard, this.awakeSince) > time
  }

  /**
   * Nodes whose server is gone, or which have not come back to one; later than here, for what is stored is older.
   * After a start nodes get the time to find their way back; and after a time without the database their servers
   * get it to store that they were heard.
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
   * Tasks of nodes that are online by what they say over REST, but have no socket anywhere: nobody holds them. Asked of
   * the database, in which every server stores whom it hears over a socket.
   */
  private async unheld(): Promise<void> {
    if (!this.looking()) return
    const ms = this.silenceMs + this.heartbeatMs + STORING_MS
    const silent = [...this.online.values()].filter(
      (node) => this.socketHeartbeats.of(socketKey(node))! >= ms,
    )
    for (const node of await thatHoldTasks(this.ctx, silent)) {
      const connected = this.fleet.get(node.id)
      if (connected && this.heardSince(performance.now() - this.silenceMs, connected)) continue
      const done = await loseUnheld(this.ctx, node)
      if (done) this.ctx.log.info({ node: node.name }, 'a node without a connection has lost its tasks')
    }
  }

  private lookIsOld(): boolean {
    return performance.now() - this.lastLook > 2.5 * this.heartbeatMs
  }

  /** Whether nodes have had the time to come back, and their servers to store it, since the database was last away. */
  private looking(): boolean {
    return !this.lookIsOld() && performance.now() - this.lookingSince >= this.silenceMs
  }

  private heardElsewhere(node: Node): boolean {
    const ago = this.ctx.bus.stateAge(nodeTopic(node.uuid))
    return ago !== undefined && ago < this.silenceMs
  }

  /**
   * Nothing when a server has stored a heartbeat since the look that showed the node.
   * @param silent asked again after the first look at the database, which may have hung
   * @returns whether it was marked; undefined: others hold its row, and the next sweep tries again
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
      return marked.length > 0
    }
    const together = await sweepOne(this.ctx, async (tx) => {
      const marked = await mark(tx)
      if (marked) await loseAttempts(tx, held, failure('node_offline', { name: node.name }))
      return marked
    })
    // Others hold the row of one of its tasks: that one is lost later, by the sweep over tasks that nobody holds.
    const outcome = together ?? (await sweepOne(this.ctx, mark))
    if (!outcome) return undefined
    const done = outcome.result
    if (!together && done) await loseUnheld(this.ctx, { ...node, online: false })
    const state = this.ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
    const status = statusOf({ ...node, online: false })
    // Also without one, so that watchers look at what is stored.
    if (done) {
      this.ctx.bus.setState(nodeTopic(node.uuid), state && { ...state, status, runningTasks: [] })
    }
    if (done) this.ctx.log.info({ node: node.name }, 'a node went offline')
    return done
  }
}

/** Rows of before sockets were told apart have no time of their own. */
const socketHeardAt = sql`coalesce(${nodes.socketHeardAt}, ${nodes.lastHeartbeatAt})`
const socketKey = (node: Node) => `${node.id}:${(node.socketHeardAt ?? node.lastHeartbeatAt)?.getTime()}`
const heartbeatKey = ({ id, lastHeartbeatAt }: Node) => `${id}:${lastHeartbeatAt?.getTime()}`
