import { Cron } from 'croner'
import type { Db } from '../db/client.ts'
import { isUnavailable } from '../db/errors.ts'
import type { Logger } from '../util/logger.ts'
import type { Counter } from '../util/metrics.ts'
import { StartupError } from '../util/startup-error.ts'
import { STOP_WAIT_MS } from '../util/stop-signals.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import type { Schedule } from './job.ts'
import { claimRun, readSchedule, setPaused } from './runs.ts'

/** A schedule that has its context. */
export type ScheduledJob = Omit<Schedule<unknown>, 'run' | 'pattern'> & {
  pattern: string
  run(signal: AbortSignal): Promise<unknown>
}

export interface JobStatus {
  id: string
  name: string
  paused: boolean
  /** Null while the job is paused. */
  nextRunAt: Date | null
  /** When its last run was due, whichever server ran it; null when it has never run. */
  lastRunAt: Date | null
}

export interface SchedulerStatus {
  running: boolean
  jobs: JobStatus[]
}

/** A timer may fire a little early, by the wall clock. */
const EARLY_MS = 500
/** Timers do not follow when the wall clock is set, so each compares it this often. */
const RECHECK_MS = 10_000

/**
 * Runs jobs by their cron patterns. Every server has the timers, and the database decides which server runs a job: of
 * several servers on one database exactly one runs it each time, and none while it is paused. A run is not repeated
 * when it was cut off, or when no server was running: the next run does its work.
 */
export class Scheduler {
  private readonly jobs: Map<string, { job: ScheduledJob; cron: Cron }>
  /** The wall clock less the monotonic one. */
  private offset = Date.now() - performance.now()
  /** Jobs whose last run may lie in the future, because the clock was set back. */
  private readonly setBack = new Set<string>()
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()
  private readonly runs = new Map<string, Promise<unknown>>()
  private readonly stopping = new AbortController()

  constructor(
    private readonly db: Db,
    private readonly log: Logger,
    jobs: ScheduledJob[],
    /** Counts runs, by job and result. */
    private readonly counted?: Counter,
  ) {
    this.jobs = new Map(jobs.map((job) => [job.id, { job, cron: cronOf(job) }]))
    for (const { job, cron } of this.jobs.values()) this.wait(job, cron)
  }

  async status(): Promise<SchedulerStatus> {
    const known = await readSchedule(this.db, [...this.jobs.keys()])
    const jobs = [...this.jobs.values()].map(({ job: { id, name }, cron }) => {
      const { paused = false, lastRunAt = null } = known.get(id) ?? {}
      return { id, name, paused, nextRunAt: paused ? null : cron.nextRun(), lastRunAt }
    })
    return { running: !this.isStopping, jobs }
  }

  /**
   * No server runs the job until it is resumed.
   * @param db that of the transaction to which the change belongs, if there is one
   * @returns false when there is no such job
   */
  pause(id: string, db = this.db): Promise<boolean> {
    return this.setPaused(db, id, true)
  }

  /** @returns false when there is no such job */
  resume(id: string, db = this.db): Promise<boolean> {
    return this.setPaused(db, id, false)
  }

  /**
   * Runs a job now, on this server, also when it is paused; joins a run that is under way on this server. Rejects when
   * the run rejects.
   * @returns undefined when there is no such job
   */
  runNow(id: string): Promise<unknown> | undefined {
    const entry = this.jobs.get(id)
    return entry && this.start(entry.job)
  }

  /** Starts no more runs, aborts the signal of those under way, and waits some seconds for them. */
  async close(): Promise<void> {
    this.stopping.abort()
    for (const timer of this.timers.values()) clearTimeout(timer)
    await waitAtMost(STOP_WAIT_MS, Promise.allSettled(this.runs.values()))
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted
  }

  private async setPaused(db: Db, id: string, paused: boolean): Promise<boolean> {
    if (!this.jobs.has(id)) return false
    await setPaused(db, id, paused)
    return true
  }

  /** Not with Cron's own timers: each waits for one instant, which is an hour later when the clock is set back by one. */
  private wait(job: ScheduledJob, cron: Cron): void {
    const next = cron.nextRun()
    if (!next || this.isStopping) return
    const left = next.getTime() - Date.now()
    const timer = setTimeout(
      () => {
        this.compareClocks()
        if (Date.now() >= next.getTime()) void this.due(job, cron)
        this.wait(job, cron)
      },
      Math.min(Math.max(left, 1), RECHECK_MS),
    )
    timer.unref()
    this.timers.set(job.id, timer)
  }

  private compareClocks(): void {
    const offset = Date.now() - performance.now()
    if (offset < this.offset - EARLY_MS) for (const id of this.jobs.keys()) this.setBack.add(id)
    this.offset = offset
  }

  private async due(job: ScheduledJob, cron: Cron): Promise<void> {
    try {
      const [at] = cron.previousRuns(1, new Date(Date.now() + EARLY_MS))
      if (this.runs.has(job.id)) return
      const claimed = await claimRun(this.db, job.id, at!, this.setBack.has(job.id))
      this.setBack.delete(job.id)
      if (!claimed || this.isStopping) return
      const result = await this.start(job)
      if (result !== undefined) this.log.info({ job: job.id, result }, 'job done')
    } catch (error) {
      if (error === this.stopping.signal.reason) return
      // Not an error of the job when the database is away; each part that needs the database logs that itself.
      this.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, job: job.id }, 'job failed')
    }
  }

  private start(job: ScheduledJob): Promise<unknown> {
    const underWay = this.runs.get(job.id)
    if (underWay) return underWay
    const run = job.run(this.stopping.signal).finally(() => this.runs.delete(job.id))
    run.then(
      () => this.count(job.id, 'completed'),
      () => this.count(job.id, 'failed'),
    )
    this.runs.set(job.id, run)
    return run
  }

  private count(job: string, result: 'completed' | 'failed'): void {
    const cell = this.counted?.of(job, result)
    if (cell) cell.value++
  }
}

/** @throws StartupError, because an operator may have written the pattern */
function cronOf({ id, pattern }: ScheduledJob): Cron {
  try {
    return new Cron(pattern, { timezone: 'UTC' })
  } catch (error) {
    throw new StartupError(
      `${JSON.stringify(pattern)} is no cron pattern for the scheduled job ${id}: ${(error as Error).message}`,
    )
  }
}
