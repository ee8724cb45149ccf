import { Ages } from '../../util/ages.ts'
import { type DueTimer, TimerWheel } from '../../util/timer-wheel.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'
import { studyHint } from '../tasks/hints.ts'
import { shownProgress, type TaskState, taskTopic } from '../tasks/progress.ts'
import { BEAT_MS } from '../tasks/runner-clocks.ts'
import { percentAt, positionAt } from '../tasks/study-runs.ts'
import { advance, type Due } from './advance.ts'
import { adopt, type Beat, beat, bury, endedRuns, handOver, register, unregister } from './lease.ts'
import { endOf, type Run } from './run.ts'
import { storeTransitions, type Transition } from './transitions.ts'

/** A server without tasks looks for those of dead servers this often. */
const IDLE_MS = 2000
/** A server whose beat stands still for this time is dead. */
const LEASE_MS = 8 * BEAT_MS
/** A server without tasks keeps its row for this time, because the next task often comes soon. */
const UNUSED_MS = 30_000
/** How often a server asks which of its tasks others have stopped, in case a hint was lost. */
const RECONCILE_MS = 5000
/** States on the bus end after ten minutes. */
const ANNOUNCE_MS = 4 * 60_000
const ANNOUNCE_AT_ONCE = 500
const ADOPT_AT_ONCE = 500
const STORE_AT_ONCE = 500
/** A task that waits for its item asks again after this time, then after twice as long and so on, up to STUDY_RETRY_SECONDS. */
const FIRST_RETRY_MS = 2000
/** A transition that could not be stored is tried again after this time. */
const RETRY_MS = 250
/** How long a stop waits for what is under way. */
const CLOSE_MS = 1500

/**
 * Runs study tasks. It writes nothing while an item plays: the position follows from the time, and the beat of this server tells the
 * others how far its clock is.
 */
export class StudyRunner {
  private id = Bun.randomUUIDv7()
  private registered: Promise<void> | undefined
  /** Starts that are under way. */
  private starting = 0
  private usedAt = performance.now()
  private readonly runs = new Map<number, Run>()
  private readonly wheel: TimerWheel<Run>
  private transitions: Transition[] = []
  private storing: Promise<void> | undefined
  private advancing = 0
  private readonly beats = new Ages()
  private lastLook = Number.NEGATIVE_INFINITY
  private lookingSince = performance.now()
  private reconciledAt = performance.now()
  private timer: ReturnType<typeof setTimeout> | undefined
  private looking: Promise<void> | undefined
  /** Whether to look again at once. */
  private due = false
  private closing: Promise<void> | undefined

  constructor(private readonly ctx: Context) {
    const { metrics, bus } = ctx
    this.wheel = new TimerWheel((due) => this.fire(due))
    metrics.registry.gauge('roost_study_tasks', 'Study tasks that this server runs', [], () => this.runs.size)
    bus.subscribe(studyHint, (hint) => {
      if (hint.type === 'free') this.look()
      else this.drop(hint.taskId, hint.attempt)
    })
    bus.onGap(() => {
      this.reconciledAt = Number.NEGATIVE_INFINITY
      this.look()
    })
  }

  /** How many tasks this server runs. */
  get size(): number {
    return this.runs.size
  }

  /** Goes on with the tasks that the last server on the embedded database has left. Elsewhere other servers may run them. */
  async start(): Promise<void> {
    await this.lookNow()
    this.schedule()
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
    this.add(run)
  }

  /** Leaves the tasks to other servers, or to the next start. */
  close(): Promise<void> {
    this.closing ??= this.closeNow()
    return this.closing
  }

  private async closeNow(): Promise<void> {
    clearTimeout(this.timer)
    this.wheel.close()
    await waitAtMost(CLOSE_MS, this.settled())
    const { id } = this
    this.runs.clear()
    if (!this.registered) return
    try {
      await handOver(this.ctx, id)
      this.ctx.bus.publish(studyHint, { type: 'free' })
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'study tasks were not handed over; other servers take them soon')
    }
  }

  private async settled(): Promise<void> {
    await this.looking
    while (this.storing || this.advancing > 0 || this.starting > 0) {
      if (this.storing) await this.storing
      else await Bun.sleep(5)
    }
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

  private add(run: Run): void {
    const old = this.runs.get(run.taskId)
    if (old) this.wheel.delete(old)
    this.runs.set(run.taskId, run)
    this.usedAt = performance.now()
    this.announce(run)
    this.wheel.set(run, run.phase === 'playing' ? endOf(run) : performance.now())
  }

  private drop(taskId: number, attempt: number): void {
    const run = this.runs.get(taskId)
    if (!run || run.attempt > attempt) return
    this.runs.delete(taskId)
    this.wheel.delete(run)
  }

  private holds(run: Run): boolean {
    return this.runs.get(run.taskId) === run
  }

  private fire(timers: DueTimer<Run>[]): void {
    const now = performance.now()
    const { studyTimerLag } = this.ctx.metrics
    for (const { lagMs } of timers) studyTimerLag.observe(lagMs / 1000)
    void this.advance(timers.map(({ key: run, lagMs }) => ({ run, dueMs: now - lagMs })))
  }

  private async advance(due: Due[]): Promise<void> {
    const open = new Set(due.map(({ run }) => run))
    this.advancing++
    try {
      await advance(this.ctx, due, (run, transition) => {
        open.delete(run)
        if (transition) this.push(transition)
        else this.wait(run)
      })
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'the next items of study tasks could not be read')
      this.again(due.filter(({ run }) => open.has(run)))
    } finally {
      this.advancing--
    }
  }

  private wait(run: Run): void {
    if (!this.holds(run)) return
    const ms = Math.min(FIRST_RETRY_MS * 2 ** run.asked++, this.ctx.config.studyRetrySeconds * 1000)
    this.wheel.set(run, performance.now() + ms)
  }

  private push(transition: Transition): void {
    this.transitions.push(transition)
    this.store()
  }

  private store(): void {
    this.storing ??= this.storeAll().finally(() => {
      this.storing = undefined
    })
  }

  /** What comes while a transaction runs goes into the next one together. */
  private async storeAll(): Promise<void> {
    while (this.transitions.length > 0) {
      const some = this.transitions.splice(0, STORE_AT_ONCE).filter(({ run }) => this.holds(run))
      if (some.length === 0) continue
      try {
        const { stored, locked } = await storeTransitions(this.ctx, this.id, some)
        for (const transition of some) {
          const { run } = transition
          const revision = stored.get(run.taskId)
          if (!this.holds(run)) continue
          if (revision !== undefined) this.apply(transition, revision)
          else if (locked.has(run.taskId)) this.later([transition])
          // Another server runs the task, or a user has stopped it.
          else this.drop(run.taskId, run.attempt)
        }
      } catch (error) {
        this.ctx.log.warn({ err: error }, 'steps of study tasks could not be stored')
        this.later(some)
      }
    }
  }

  private later(transitions: Transition[]): void {
    setTimeout(() => {
      if (this.closing) return
      this.transitions.push(...transitions)
      this.store()
    }, RETRY_MS)
  }

  private again(due: Due[]): void {
    setTimeout(() => {
      if (!this.closing) void this.advance(due.filter(({ run }) => this.holds(run)))
    }, RETRY_MS)
  }

  private apply(transition: Transition, revision: number): void {
    const { run, place, to, beganMs, currentItem, noted } = transition
    if (to !== 'playing' && to !== 'waiting') {
      this.runs.delete(run.taskId)
      if (to === 'completed') this.ctx.bus.setState(taskTopic(run.taskUuid), undefined)
      return
    }
    Object.assign(run, place, { phase: to, beganMs, currentItem, noted, revision, asked: 0 })
    this.announce(run)
    if (to === 'playing') this.wheel.set(run, endOf(run))
    else this.wait(run)
  }

  /** Tells every server how the task stands and how it moves. */
  private announce(run: Run): void {
    const now = performance.now()
    run.announcedAt = now
    const {
      revision,
      phase,
      itemPosition,
      itemDuration,
      doneSeconds,
      totalSeconds,
      speed,
      runnerId,
      beganMs,
    } = run
    const state: TaskState = {
      attempt: run.attempt,
      progress: shownProgress(percentAt(run, positionAt(run, now))),
      currentItem: run.currentItem,
      run: {
        revision,
        phase,
        itemPosition,
        itemDuration,
        doneSeconds,
        totalSeconds,
        speed,
        runnerId,
        beganMs,
      },
    }
    this.ctx.bus.setState(taskTopic(run.taskUuid), state)
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
    this.timer = setTimeout(
      () => {
        this.looking = this.lookNow().finally(() => {
          this.looking = undefined
          this.schedule(this.due ? 0 : undefined)
        })
      },
      ms ?? (isBusy ? BEAT_MS : IDLE_MS),
    )
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
    this.seeBeats(others, at)
    let waiting = free
    for (const other of this.deadOnes(others)) {
      const { id: runner } = other
      if (!(await bury(ctx, other))) continue
      ctx.log.info({ runner }, 'a server is gone; its study tasks go on here')
      waiting = true
    }
    if (waiting) await this.adopt()
    this.announceOld()
    await this.reconcile()
    await this.unregisterUnused()
  }

  private seeBeats(others: Beat[], at: number): void {
    const { runnerClocks } = this.ctx.services
    for (const { id, beatMs, ageMs } of others) runnerClocks.learn(id, beatMs, ageMs)
    this.beats.look(
      others.map((other) => ({ key: keyOf(other), seconds: other.ageMs / 1000 })),
      at,
    )
    // After a time without the database, the other servers get the time to write a beat.
    const now = performance.now()
    if (now - this.lastLook > LEASE_MS) this.lookingSince = now
    this.lastLook = now
  }

  private deadOnes(others: Beat[]): Beat[] {
    if (!this.ctx.config.databaseUrl) return others
    if (performance.now() - this.lookingSince < LEASE_MS) return []
    return others.filter((other) => this.beats.of(keyOf(other))! >= LEASE_MS)
  }

  private async adopt(): Promise<void> {
    if (this.closing) return
    await this.giving(async (runnerId) => {
      if (runnerId === undefined) return
      for (;;) {
        const runs = await adopt(this.ctx, runnerId, ADOPT_AT_ONCE)
        for (const run of runs) this.take(run)
        if (runs.length === 0) return
      }
    })
  }

  /** Others have taken this server for dead and run its tasks. */
  private lost(): void {
    this.ctx.log.warn(
      { tasks: this.runs.size },
      'this server was away for too long; others run its study tasks',
    )
    for (const run of this.runs.values()) this.wheel.delete(run)
    this.runs.clear()
    this.id = Bun.randomUUIDv7()
    this.registered = undefined
  }

  private announceOld(): void {
    const before = performance.now() - ANNOUNCE_MS
    let left = ANNOUNCE_AT_ONCE
    for (const run of this.runs.values()) {
      if (run.announcedAt > before) continue
      this.announce(run)
      if (--left === 0) return
    }
  }

  private async reconcile(): Promise<void> {
    const now = performance.now()
    // On an embedded database every request is this server's own, so that no hint is lost.
    if (!this.ctx.config.databaseUrl || this.runs.size === 0 || now - this.reconciledAt < RECONCILE_MS) return
    this.reconciledAt = now
    const asked = new Map(this.runs)
    for (const taskId of await endedRuns(this.ctx, this.id, asked.values())) {
      const run = asked.get(taskId)!
      if (this.holds(run)) this.drop(taskId, run.attempt)
    }
  }

  private async unregisterUnused(): Promise<void> {
    const isUsed = this.runs.size > 0 || this.starting > 0 || performance.now() - this.usedAt < UNUSED_MS
    if (!this.registered || isUsed) return
    const { id } = this
    this.id = Bun.randomUUIDv7()
    this.registered = undefined
    await unregister(this.ctx, id)
  }
}

const keyOf = ({ id, beatMs }: Beat): string => `${id}:${beatMs}`
