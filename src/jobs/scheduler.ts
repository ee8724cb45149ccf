import { Cron } from 'croner'
import type { Db } from '../db/client.ts'
import { isUnavailable } from '../db/errors.ts'
import { claimRun, readSchedule, setPaused } from '../db/scheduled-jobs.ts'
import type { Logger } from '../util/logger.ts'

export interface ScheduledJob {
  id: string
  name: string
  /** A cron pattern, in UTC: all servers must mean the same instants. */
  pattern: string
  /** Must bear to run twice at once; what it returns is logged, unless that is undefined. */
  run(): Promise<unknown>
}

export interface JobStatus {
  id: string
  name: string
  paused: boolean
  /** Null while the job is paused. */
  nextRunAt: Date | null
  /** As the schedule has it, on whichever server; null when it has never run. */
  lastRunAt: Date | null
}

export interface SchedulerStatus {
  running: boolean
  jobs: JobStatus[]
}

/** A timer may fire a little early, by the wall clock. */
const EARLY_MS = 500
const CLOSE_MS = 5000

/**
 * Runs named jobs by their cron patterns. Every server has the timers, and the database decides who runs: of several
 * servers on one database exactly one runs a job each time, and none while it is paused. A run that no server was
 * there for, or that was cut off, is not made up for: the next one does its work.
 */
export class Scheduler {
  private readonly jobs: Map<string, { job: ScheduledJob; cron: Cron }>
  private readonly runs = new Map<string, Promise<unknown>>()
  private running = true

  constructor(
    private readonly db: Db,
    private readonly log: Logger,
    jobs: ScheduledJob[],
  ) {
    this.jobs = new Map(
      jobs.map((job) => {
        const cron: Cron = new Cron(job.pattern, { timezone: 'UTC', unref: true }, () => this.due(job, cron))
        return [job.id, { job, cron }]
      }),
    )
  }

  async status(): Promise<SchedulerStatus> {
    const known = await readSchedule(this.db, [...this.jobs.keys()])
    const jobs = [...this.jobs.values()].map(({ job: { id, name }, cron }) => {
      const { paused = false, lastRunAt = null } = known.get(id) ?? {}
      return { id, name, paused, nextRunAt: paused ? null : cron.nextRun(), lastRunAt }
    })
    return { running: this.running, jobs }
  }

  /** No server runs the job until it is resumed. False: there is no such job. */
  pause(id: string): Promise<boolean> {
    return this.setPaused(id, true)
  }

  /** False: there is no such job. */
  resume(id: string): Promise<boolean> {
    return this.setPaused(id, false)
  }

  /**
   * Runs a job now, on this server, also when it is paused; a run of it that is under way here counts. Rejects as the
   * job does. Undefined: there is no such job.
   */
  runNow(id: string): Promise<unknown> | undefined {
    const entry = this.jobs.get(id)
    return entry && this.start(entry.job)
  }

  /** Starts no more runs, and waits some seconds for those under way. */
  async close(): Promise<void> {
    this.running = false
    for (const { cron } of this.jobs.values()) cron.stop()
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref())
    await Promise.race([Promise.allSettled(this.runs.values()), late])
  }

  private async setPaused(id: string, paused: boolean): Promise<boolean> {
    if (!this.jobs.has(id)) return false
    await setPaused(this.db, id, paused)
    return true
  }

  private async due(job: ScheduledJob, cron: Cron): Promise<void> {
    try {
      const [at] = cron.previousRuns(1, new Date(Date.now() + EARLY_MS))
      if (this.runs.has(job.id) || !(await claimRun(this.db, job.id, at!)) || !this.running) return
      const result = await this.start(job)
      if (result !== undefined) this.log.info({ job: job.id, result }, 'job done')
    } catch (error) {
      // A database that is away is nobody's mistake, and is reported wherever it is missed.
      this.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, job: job.id }, 'job failed')
    }
  }

  private start(job: ScheduledJob): Promise<unknown> {
    const present = this.runs.get(job.id)
    if (present) return present
    const run = job.run().finally(() => this.runs.delete(job.id))
    this.runs.set(job.id, run)
    return run
  }
}
