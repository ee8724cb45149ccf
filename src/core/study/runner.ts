import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'
import { studyHint } from '../tasks/hints.ts'
import { BEAT_MS } from '../tasks/runner-clocks.ts'
import { adopt, beat, bury, endedRuns, handOver, register, unregister, waitingTasks } from './lease.ts'
import { OtherRunners } from './other-runners.ts'
import { Player } from './player.ts'
import type { Run } from './run.ts'

/** A server without tasks looks for those of dead servers this often. */
const IDLE_MS = 2000
/** A server without tasks keeps its row for this time, because the next task often comes soon. */
const UNUSED_MS = 30_000
/** How often a server asks which of its tasks others have stopped, in case a hint was lost. */
const RECONCILE_MS = 5000
const ADOPT_AT_ONCE = 500
/** How long a stop waits for what is under way, and as long again for the hand-over. A whole stop takes less than five seconds. */
const CLOSE_MS = 1000

/**
 * Decides which study tasks this server runs; the player plays them. The beat of this server tells the others that it is alive and
 * how far its clock is.
 */
export class StudyRunner {
  private id = Bun.randomUUIDv7()
  private registered: Promise<void> | undefined
  /** Starts that are under way. */
  private starting = 0
  private usedAt = performance.now()
  private readonly player: Player
  private readonly others: OtherRunners
  /** The last task that this server has tried to take of those that wait for one; 0 when the next is the first. */
  private triedUpTo = 0
  private reconciledAt = performance.now()
  private timer: ReturnType<typeof setTimeout> | undefined
  private looking: Promise<void> | undefined
  /** Whether to look again at once. */
  private due = false
  private closing: Promise<void> | undefined

  constructor(private readonly ctx: Context) {
    const { metrics, bus } = ctx
    this.player = new Player(ctx)
    this.others = new OtherRunners(ctx)
    metrics.registry.gauge('roost_study_tasks', 'Study tasks that this server runs', [], () => this.size)
    bus.subscribe(studyHint, (hint) => {
      if (hint.type === 'free') this.look()
      else this.player.drop(hint.taskId, hint.attempt)
    })
    bus.onGap(() => {
      this.reconciledAt = Number.NEGATIVE_INFINITY
      this.look()
    })
  }

  /** How many tasks this server runs. */
  get size(): number {
    return this.player.size
  }

  /** Goes on with the tasks that the last server on the embedded database has left. Elsewhere other servers may run them. */
  async start(): Promise<void> {
    await this.begin()
  }

  /**
   * Lets `change` give a task to this server: it stores the id as the runner, unless the row of this server is gone.
   * `undefined`: the server stops, and another one takes the task.
   */
  async giving<T>(change: (runnerId: string | undefined) => Promise<T>): Promise<T> {
    this.starting++
    try {
      if (!this.closing) await this.register()
      return await change(this.closing ? undefined : this.id)
    } finally {
      this.starting--
      this.usedAt = performance.now()
    }
  }

  /** A task has just been given to a server; `runnerId` is the one that was stored. */
  take(run: Run): void {
    if (run.runnerId !== this.id || this.closing) return this.ctx.bus.publish(studyHint, { type: 'free' })
    this.usedAt = performance.now()
    this.player.add(run)
  }

  /** Leaves the tasks to other servers, or to the next start. */
  close(): Promise<void> {
    this.closing ??= this.closeNow()
    return this.closing
  }

  private async closeNow(): Promise<void> {
    clearTimeout(this.timer)
    this.player.close()
    await waitAtMost(CLOSE_MS, this.settled())
    this.player.clear()
    if (!this.registered) return
    try {
      await waitAtMost(CLOSE_MS, handOver(this.ctx, this.id))
      this.ctx.bus.publish(studyHint, { type: 'free' })
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'study tasks were not handed over; other servers take them soon')
    }
  }

  private async settled(): Promise<void> {
    await this.looking
    while (this.starting > 0) await Bun.sleep(5)
    await this.player.settled()
  }

  private register(): Promise<void> {
    if (!this.registered) {
      const { id } = this
      this.registered = register(this.ctx, id).catch((error) => {
        if (this.id === id) this.registered = undefined
        throw error
      })
      this.ctx.services.runnerClocks.own = id
      void this.registered.then(
        () => this.schedule(),
        () => {},
      )
    }
    return this.registered
  }

  /** Looks at the beats and at tasks without a server, now. */
  private look(): void {
    this.due = true
    clearTimeout(this.timer)
    this.schedule(0)
  }

  private schedule(ms?: number): void {
    clearTimeout(this.timer)
    if (this.closing || this.looking) return
    const isBusy = this.registered !== undefined || this.ctx.services.runnerClocks.wanted
    // No other server uses an embedded database, so that there is nothing to look for.
    if (!isBusy && !this.ctx.config.databaseUrl && ms === undefined) return
    this.timer = setTimeout(() => void this.begin(), ms ?? (isBusy ? BEAT_MS : IDLE_MS))
  }

  private begin(): Promise<void> {
    this.looking = this.lookNow().finally(() => {
      this.looking = undefined
      this.schedule(this.due ? 0 : undefined)
    })
    return this.looking
  }

  private async lookNow(): Promise<void> {
    this.due = false
    try {
      await this.lookAt()
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'the beats of study tasks could not be read or written')
    }
  }

  private async lookAt(): Promise<void> {
    const { ctx, id } = this
    const { runnerClocks } = ctx.services
    await this.registered
    const wasRegistered = this.registered !== undefined
    const at = performance.now()
    const { alive, free, others } = await beat(ctx, id)
    if (alive) runnerClocks.learn(id, at, performance.now() - at)
    else if (wasRegistered && this.id === id) this.lost()
    let waiting = free
    for (const dead of this.others.look(others, at)) {
      const { id: runner } = dead
      if (!(await bury(ctx, dead))) continue
      ctx.log.info({ runner }, 'a server is gone; its study tasks go on here')
      waiting = true
    }
    if (waiting) await this.adopt()
    this.player.announceOld()
    await this.reconcile()
    await this.unregisterUnused()
  }

  /** Takes some of the tasks that wait for a server. The next look, which is also a beat, goes on behind them at once. */
  private async adopt(): Promise<void> {
    if (this.closing) return
    await this.giving(async (runnerId) => {
      if (runnerId === undefined) return
      const ids = await waitingTasks(this.ctx, this.triedUpTo, ADOPT_AT_ONCE)
      for (const run of await adopt(this.ctx, runnerId, ids)) this.take(run)
      const isMore = ids.length === ADOPT_AT_ONCE
      this.triedUpTo = isMore ? ids.at(-1)! : 0
      if (isMore) this.due = true
    })
  }

  /** Others have taken this server for dead and run its tasks. */
  private lost(): void {
    this.ctx.log.warn({ tasks: this.size }, 'this server was away for too long; others run its study tasks')
    this.player.clear()
    this.id = Bun.randomUUIDv7()
    this.registered = undefined
  }

  private async reconcile(): Promise<void> {
    const now = performance.now()
    // On an embedded database every request is this server's own, so that no hint is lost.
    if (!this.ctx.config.databaseUrl || this.size === 0 || now - this.reconciledAt < RECONCILE_MS) return
    this.reconciledAt = now
    const asked = this.player.copy()
    for (const taskId of await endedRuns(this.ctx, asked.values())) {
      const run = asked.get(taskId)!
      if (this.player.holds(run)) this.player.drop(taskId, run.attempt)
    }
  }

  private async unregisterUnused(): Promise<void> {
    const isUsed = this.size > 0 || this.starting > 0 || performance.now() - this.usedAt < UNUSED_MS
    if (!this.registered || isUsed) return
    const { id } = this
    this.id = Bun.randomUUIDv7()
    this.registered = undefined
    await unregister(this.ctx, id)
  }
}
