import { and, eq, isNull, lt, or, sql } from 'drizzle-orm'
import { nodes } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { expireAssignments, expireRunning, heldTasks, loseAttempts } from '../tasks/attempts.ts'
import { transaction } from '../transaction.ts'
import type { Fleet } from './fleet.ts'
import type { Node } from './nodes.ts'
import { type NodeState, nodeTopic, statusOf } from './presence.ts'

/** After this many heartbeats of silence a node is offline. */
const SILENT_HEARTBEATS = 3

/** Looks for silent nodes, unanswered assignments and tasks that ran too long. */
export class Sweeper {
  private readonly startedAt = Date.now()
  private readonly silenceMs: number
  private readonly timers: ReturnType<typeof setInterval>[]
  private sweeping = false

  constructor(
    private readonly ctx: Core,
    private readonly fleet: Fleet,
  ) {
    const heartbeatMs = ctx.config.nodeHeartbeatSeconds * 1000
    this.silenceMs = SILENT_HEARTBEATS * heartbeatMs
    this.timers = [
      setInterval(() => this.sweep(() => this.silentHere()), Math.min(1000, heartbeatMs / 2)),
      setInterval(() => this.sweep(() => this.silentElsewhere(heartbeatMs)), heartbeatMs),
      setInterval(() => this.sweep(() => this.overdue()), 5000),
    ]
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer)
  }

  private async sweep(run: () => Promise<void>): Promise<void> {
    if (this.sweeping) return
    this.sweeping = true
    try {
      await run()
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'a sweep over nodes and leases failed')
    } finally {
      this.sweeping = false
    }
  }

  private async overdue(): Promise<void> {
    await expireAssignments(this.ctx)
    await expireRunning(this.ctx)
    await this.fleet.reconcile()
  }

  private async silentHere(): Promise<void> {
    const before = Date.now() - this.silenceMs
    for (const connected of this.fleet.all()) {
      if (!connected.node.online || connected.lastHeard > before) continue
      const { node } = connected
      // First here: what it loses must not be leased to it again.
      connected.node = { ...node, online: false }
      await this.markOffline(eq(nodes.id, node.id), node).catch((error) => {
        connected.node = node
        throw error
      })
    }
  }

  /**
   * Nodes whose server is gone, or which have not come back to one. By the database's clock, and later than here:
   * readings are stored once per heartbeat. After a start nodes get the time to find their way back.
   */
  private async silentElsewhere(heartbeatMs: number): Promise<void> {
    if (Date.now() - this.startedAt < this.silenceMs) return
    const seconds = (this.silenceMs + heartbeatMs + 1000) / 1000
    const silent = or(
      isNull(nodes.lastHeartbeatAt),
      lt(nodes.lastHeartbeatAt, sql`now() - make_interval(secs => ${seconds})`),
    )
    const candidates = await this.ctx.db
      .select()
      .from(nodes)
      .where(and(eq(nodes.online, true), silent))
    for (const node of candidates) {
      if (this.fleet.get(node.id) || this.heardElsewhere(node)) continue
      await this.markOffline(and(eq(nodes.id, node.id), silent), node)
    }
  }

  private heardElsewhere(node: Node): boolean {
    const state = this.ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
    return state !== undefined && Date.parse(state.timestamp) > Date.now() - this.silenceMs
  }

  private async markOffline(condition: ReturnType<typeof and>, node: Node): Promise<boolean> {
    const held = await heldTasks(this.ctx, node.id)
    const done = await transaction(this.ctx, async (tx) => {
      const [marked] = await tx.db
        .update(nodes)
        .set({ online: false })
        .where(and(condition, eq(nodes.online, true)))
        .returning({ id: nodes.id })
      if (!marked) return false
      await loseAttempts(tx, held, `The GPU server ${node.name} went offline`)
      return true
    })
    const state = this.ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
    if (done && state) {
      const status = statusOf({ ...node, online: false })
      this.ctx.bus.setState(nodeTopic(node.uuid), { ...state, status, running_tasks: [] })
    }
    if (done) this.ctx.log.info({ node: node.name }, 'a node went offline')
    return done
  }
}
