import type { JobWithMetadata, PgBoss } from 'pg-boss'
import type { Db } from '../db/client.ts'
import { runSql } from '../db/foreign-sql.ts'
import type { Logger } from '../util/logger.ts'
import type { Counter } from '../util/metrics.ts'
import { STOP_WAIT_MS } from '../util/stop-signals.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { withoutQuery } from '../util/without-query.ts'
import { bossDatabase, createBoss } from './boss.ts'
import { deadOf, defineQueues } from './define.ts'
import type { Job, JobHandle } from './job.ts'

/** The part of a transaction that enqueuing needs. */
export interface Enqueuing {
  db: Db
  afterCommit(run: () => void): void
}

export interface EnqueueOptions {
  /** While a job with this key waits for its first run, no further one is added. Letters, digits and `_-./`. */
  singletonKey?: string
  /** Jobs of a queue with the same turn run one after the other, on all servers together. */
  turn?: string
  startAfter?: Date
  /** Jobs of a higher one run first; 0 unless given. */
  priority?: number
}

export interface JobCounts {
  /** Not started yet, or between two runs. */
  waiting: number
  running: number
  /** Given up in the last 30 days. */
  dead: number
}

/** A run throws this when no retry can help: the queue gives the job up at once. */
export class UnrecoverableError extends Error {
  override name = 'UnrecoverableError'
}

/**
 * How often the idle workers of one queue look for jobs, together. A poll finds retries that are due, and what another
 * server has enqueued. Enqueuing on this server wakes the workers, and a worker that finds a job wakes the others.
 */
const POLL_SECONDS = 2
const DEAD_POLL_SECONDS = 5
const HEARTBEAT_REFRESH_SECONDS = 3
/** pg-boss writes how a run ended within this time, usually. */
const OUTCOME_WRITTEN_MS = 50
const HAND_BACK_MS = 1000
const WORKER_LATE_MS = 60_000

/** How a run ended, in pg-boss's words; a failure that may be retried is thrown. */
type Outcome = { status: 'completed' | 'deadletter'; output?: object }

/**
 * Work that must happen although no request waits for it. A job is written in the transaction that needs it, and runs
 * at least once: when its server is killed, or sends no heartbeat for too long, the job runs again, here or on another
 * server. A run should end soon after its signal is aborted: from then on the queue no longer counts it as running.
 */
export class JobQueue {
  /** pg-boss's ids of this server's workers, by the name of the queue. */
  private readonly workers = new Map<string, string[]>()
  private readonly running = new Map<string, JobWithMetadata>()
  private draining: Promise<unknown> | undefined
  private closing: Promise<void> | undefined

  private constructor(
    private readonly db: Db,
    private readonly boss: PgBoss,
    private readonly log: Logger,
    private readonly runs: Counter | undefined,
  ) {}

  /**
   * Creates the queues of `jobs` that are missing in the database; several servers may do so at once.
   * @param runs counts runs, by queue and result
   */
  static async open(
    { db, embedded, log, runs }: { db: Db; embedded: boolean; log: Logger; runs?: Counter },
    jobs: readonly JobHandle[],
  ): Promise<JobQueue> {
    const names = jobs.map(({ name }) => name)
    if (new Set(names).size < names.length) throw new Error(`two jobs have one name: ${names.join()}`)
    const boss = createBoss(db, embedded, log)
    try {
      await boss.start()
      await defineQueues(boss, jobs)
      if (embedded) await failAbandoned(db, boss)
    } catch (error) {
      await boss.stop({ graceful: false })
      throw error
    }
    return new JobQueue(db, boss, log, runs)
  }

  /**
   * Adds a job, which starts after the transaction's commit, or never after a rollback.
   * @returns false when a job with the same `singletonKey` waits already
   */
  async enqueue<P extends object>(
    tx: Enqueuing,
    { name }: JobHandle<P>,
    payload: NoInfer<P>,
    { singletonKey = crypto.randomUUID(), turn, startAfter, priority = 0 }: EnqueueOptions = {},
  ): Promise<boolean> {
    const id = await this.boss.send(name, payload, {
      db: bossDatabase(tx.db),
      singletonKey,
      priority,
      ...(turn !== undefined && { group: { id: turn } }),
      ...(startAfter && { startAfter }),
    })
    if (id === null) return false
    tx.afterCommit(() => this.wakeWorkers(name))
    return true
  }

  /** Lets this server run these jobs. */
  async start<C>(ctx: C, jobs: readonly Job<NoInfer<C>>[]): Promise<void> {
    for (const job of jobs) await this.work(ctx, job)
  }

  /**
   * Whether every worker of this server has looked for jobs in the last minute, or runs one, and its last look did not fail.
   * The workers of a queue look every two seconds together, and less often when the queue has many.
   */
  isWorking(): boolean {
    const workers = this.boss.getWipData()
    const since = Date.now() - WORKER_LATE_MS
    return (
      !this.draining &&
      workers.length > 0 &&
      workers.every(
        ({ count, createdOn, lastFetchedOn, lastErrorOn }) =>
          count > 0 || ((lastFetchedOn ?? createdOn) > since && (lastErrorOn ?? 0) <= (lastFetchedOn ?? 0)),
      )
    )
  }

  /** How many jobs of a queue there are. */
  async pending({ name }: JobHandle): Promise<JobCounts> {
    const [counts] = await runSql<JobCounts>(
      this.db,
      `select count(*) filter (where name = $1 and state in ('created', 'retry'))::int as waiting,
              count(*) filter (where name = $1 and state = 'active')::int as running,
              count(*) filter (where name = $2)::int as dead
       from pgboss.job where name in ($1, $2)`,
      [name, deadOf(name)],
    )
    return counts!
  }

  /** How many jobs of each queue wait, are due later (a retry, for example), run, or were given up in the last 30 days. */
  async depths(): Promise<{ queue: string; state: keyof JobCounts | 'later'; jobs: number }[]> {
    const dead = deadOf('')
    return runSql(
      this.db,
      `select case when name like $1 then substr(name, 1, length(name) - $2::int) else name end as queue,
              case when name like $1 then 'dead' when state = 'active' then 'running'
                   when start_after > now() then 'later' else 'waiting' end as state,
              count(*)::int as jobs
       from pgboss.job where state in ('created', 'retry', 'active') or name like $1 group by 1, 2`,
      [`%${dead}`, dead.length],
    )
  }

  /** Starts no more jobs, and waits for those that run, but not longer than `graceMs`. */
  async drain(graceMs = STOP_WAIT_MS): Promise<void> {
    this.draining ??= waitAtMost(
      graceMs,
      Promise.all([...this.workers.keys()].map((name) => this.boss.offWork(name))),
    )
    await this.draining
  }

  /** Drains, and hands back the jobs that still run. A second call waits for the end of the first. */
  close(graceMs?: number): Promise<void> {
    this.closing ??= this.stop(graceMs)
    return this.closing
  }

  private async stop(graceMs?: number): Promise<void> {
    await this.drain(graceMs)
    // Bounded as well, because a database that does not answer must not keep the server from ending.
    await waitAtMost(HAND_BACK_MS, this.handBackAll())
  }

  private async handBackAll(): Promise<void> {
    for (const job of this.running.values()) {
      await this.handBack(job).catch((error) =>
        this.log.warn(
          { err: error, job: job.id },
          'a job was not handed back: it runs again when its heartbeat ends',
        ),
      )
    }
    // Aborts the signals of what still runs.
    await this.boss.stop({ graceful: false })
  }

  private async work<C>(ctx: C, job: Job<C>): Promise<void> {
    for (let i = 0; i < job.concurrency; i++) {
      await this.addWorker(job.name, POLL_SECONDS * job.concurrency, (one) => this.run(ctx, job, one))
    }
    if (!job.onGiveUp) return
    await this.addWorker(deadOf(job.name), DEAD_POLL_SECONDS, async (dead) => {
      const attempt = (dead.sourceRetryCount ?? 0) + 1
      await job.onGiveUp!(ctx, dead.data, { reason: reasonOf(dead.sourceOutput), attempt })
      return { status: 'completed' }
    })
  }

  private async addWorker(
    name: string,
    pollSeconds: number,
    run: (job: JobWithMetadata) => Promise<Outcome>,
  ): Promise<void> {
    const ids = this.workers.getOrInsertComputed(name, () => [])
    const options = {
      includeMetadata: true,
      perJobResults: true,
      groupConcurrency: 1,
      pollingIntervalSeconds: pollSeconds,
      heartbeatRefreshSeconds: HEARTBEAT_REFRESH_SECONDS,
    } as const
    const id = await this.boss.work<object, unknown, typeof options>(name, options, async ([job]) => {
      // Wakes the others, because there may be more jobs; and this worker, which would otherwise pause after its job as
      // if it had found none.
      this.wakeWorkers(name)
      return [{ id: job!.id, ...(await run(job!)) }]
    })
    ids.push(id)
  }

  private async run<C>(ctx: C, declared: Job<C>, job: JobWithMetadata): Promise<Outcome> {
    const attempt = job.retryCount + 1
    // pg-boss writes the outcome a moment later. When the workers wake too early, their poll finds the job.
    const wakeGivenUp = () => setTimeout(() => this.wakeWorkers(deadOf(declared.name)), OUTCOME_WRITTEN_MS)
    // The signal is aborted when a run ends, also when it took too long.
    if (job.retryCount >= job.retryLimit) job.signal.addEventListener('abort', wakeGivenUp, { once: true })
    this.running.set(job.id, job)
    try {
      if (await this.isTurnTaken(job)) {
        await this.handBack(job)
        return { status: 'completed' }
      }
      await declared.run(ctx, job.data, { attempt, signal: job.signal })
      this.count(declared.name, 'completed')
      return { status: 'completed' }
    } catch (error) {
      const isLast = error instanceof UnrecoverableError || job.retryCount >= job.retryLimit
      this.count(declared.name, isLast ? 'given_up' : 'failed')
      this.log.warn({ err: error, queue: declared.name, job: job.id, attempt }, 'a job failed')
      // pg-boss stores what is thrown, with all its properties.
      if (!(error instanceof UnrecoverableError)) throw withoutQuery(error)
      wakeGivenUp()
      return { status: 'deadletter', output: { message: error.message } }
    } finally {
      this.running.delete(job.id)
    }
  }

  private count(queue: string, result: 'completed' | 'failed' | 'given_up'): void {
    const cell = this.runs?.of(queue, result)
    if (cell) cell.value++
  }

  /** Whether another job with the same turn runs. Two workers that look for jobs at the same moment may both have got one. */
  private async isTurnTaken({ name, id, groupId }: JobWithMetadata): Promise<boolean> {
    if (!groupId) return false
    const [row] = await runSql<{ taken: boolean }>(
      this.db,
      "select exists (select from pgboss.job where name = $1 and group_id = $2 and state = 'active' and id <> $3) as taken",
      [name, groupId, id],
    )
    return row!.taken
  }

  private wakeWorkers(name: string): void {
    for (const id of this.workers.get(name) ?? []) this.boss.notifyWorker(id)
  }

  /**
   * A stop of the server, or another job's turn, is no failure of the job: the job starts again, with as many runs as it
   * had left.
   */
  private async handBack(job: JobWithMetadata) {
    const { name, id, data, singletonKey, groupId, priority, retryCount, retryLimit } = job
    await this.db.transaction(async (tx) => {
      const db = bossDatabase(tx)
      const done = (await this.boss.cancel(name, { id, retryCount }, { db })) as { affected: number }
      if (done.affected === 0) return
      await this.boss.send(name, data, {
        db,
        priority,
        retryLimit: Math.max(0, retryLimit - retryCount),
        ...(singletonKey !== null && { singletonKey }),
        ...(groupId && { group: { id: groupId } }),
      })
    })
  }
}

/**
 * Only one server uses the embedded database: a job that is running there at a start was cut off when the last server
 * ended. On a shared database the other servers run a job again when its heartbeat stops.
 */
async function failAbandoned(db: Db, boss: PgBoss): Promise<void> {
  const jobs = await runSql<{ name: string; id: string }>(
    db,
    "select name, id from pgboss.job where state = 'active'",
  )
  for (const { name, id } of jobs) await boss.fail(name, id, { message: 'the server was cut off' })
}

/** pg-boss stores the fields of a thrown error, and its own messages one level deeper. */
function reasonOf(output: object | null): string {
  const { message, value } = (output ?? {}) as { message?: string; value?: { message?: string } }
  return message ?? value?.message ?? 'unknown'
}
