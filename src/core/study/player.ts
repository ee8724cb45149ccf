import { type DueTimer, TimerWheel } from '../../util/timer-wheel.ts'
import type { Context } from '../context.ts'
import { taskTopic } from '../tasks/progress.ts'
import { advance, type Due } from './advance.ts'
import { endOf, type Run, stateOf } from './run.ts'
import { TransitionQueue } from './transition-queue.ts'
import type { Transition } from './transitions.ts'

/** States on the bus end after ten minutes. */
const ANNOUNCE_MS = 4 * 60_000
const ANNOUNCE_AT_ONCE = 500
/** A task that waits for its item asks again after this time, then after twice as long and so on, up to STUDY_RETRY_SECONDS. */
const FIRST_RETRY_MS = 2000
/** Tasks whose next items could not be read ask again after this time, all of them together. */
const RETRY_MS = 250

/**
 * Plays the tasks that this server runs: it knows when their items end, and finds out and stores what comes next. While an item
 * plays, it does nothing for it, because the position follows from the time.
 */
export class Player {
  private readonly runs = new Map<number, Run>()
  private readonly wheel: TimerWheel<Run>
  private readonly queue: TransitionQueue
  /** Batches whose next items are being found. */
  private advancing = 0
  private failed: Due[] = []
  private retry: Timer | undefined
  private isClosed = false

  constructor(private readonly ctx: Context) {
    this.wheel = new TimerWheel((due) => this.fire(due))
    this.queue = new TransitionQueue(ctx, {
      holds: (run) => this.holds(run),
      stored: (transition, revision) => this.apply(transition, revision),
      lost: (run) => this.drop(run.taskId, run.attempt),
    })
  }

  get size(): number {
    return this.runs.size
  }

  /** The tasks at this moment, by id. */
  copy(): Map<number, Run> {
    return new Map(this.runs)
  }

  holds(run: Run): boolean {
    return this.runs.get(run.taskId) === run
  }

  add(run: Run): void {
    const old = this.runs.get(run.taskId)
    if (old) this.wheel.delete(old)
    this.runs.set(run.taskId, run)
    this.announce(run)
    this.wheel.set(run, run.phase === 'playing' ? endOf(run) : performance.now())
  }

  /** Leaves a task that does not run any more in this attempt. */
  drop(taskId: number, attempt: number): void {
    const run = this.runs.get(taskId)
    if (!run || run.attempt > attempt) return
    this.runs.delete(taskId)
    this.wheel.delete(run)
  }

  /** Leaves all tasks. */
  clear(): void {
    for (const run of this.runs.values()) this.wheel.delete(run)
    this.runs.clear()
  }

  /** Begins nothing any more. What is under way is still stored: {@link settled}. */
  close(): void {
    this.isClosed = true
    clearTimeout(this.retry)
    this.wheel.close()
    this.queue.close()
  }

  async settled(): Promise<void> {
    for (;;) {
      if (this.advancing > 0) await Bun.sleep(5)
      else if (this.queue.settled) await this.queue.settled
      else return
    }
  }

  /** Repeats states before they end on the bus. */
  announceOld(): void {
    const before = performance.now() - ANNOUNCE_MS
    let left = ANNOUNCE_AT_ONCE
    for (const run of this.runs.values()) {
      if (run.announcedAt > before) continue
      this.announce(run)
      if (--left === 0) return
    }
  }

  /** Tells every server how the task stands and how it moves. */
  private announce(run: Run): void {
    run.announcedAt = performance.now()
    this.ctx.bus.setState(taskTopic(run.taskUuid), stateOf(run))
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
        if (transition) this.queue.push(transition)
        else this.wait(run)
      })
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'the next items of study tasks could not be read')
      this.again(due.filter(({ run }) => open.has(run)))
    } finally {
      this.advancing--
    }
  }

  private again(due: Due[]): void {
    if (this.isClosed) return
    this.failed.push(...due)
    this.retry ??= setTimeout(() => {
      this.retry = undefined
      void this.advance(this.failed.splice(0).filter(({ run }) => this.holds(run)))
    }, RETRY_MS)
  }

  private wait(run: Run): void {
    if (!this.holds(run)) return
    const ms = Math.min(FIRST_RETRY_MS * 2 ** run.asked++, this.ctx.config.studyRetrySeconds * 1000)
    this.wheel.set(run, performance.now() + ms)
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
}
