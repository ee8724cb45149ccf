import type { JobWithMetadata, PgBoss } from 'pg-boss'
import type { Db } from '../db/client.ts'
import { runSql } from '../db/foreign-sql.ts'
import type { Logger } from '../util/logger.ts'
import { bossDatabase, createBoss } from './boss.ts'
import { deadOf, defineQueues } from './define.ts'
import { type Payloads, QUEUES, type QueueOptions } from './queues.ts'

/** A transaction as the core has it. */
export interface Enqueuing {
  db: Db
  afterCommit(run: () => void): void
}

export interface EnqueueOptions {
  /** While a job with this key waits for its first run, no further one is added. Letters, digits and `_-./`. */
  singletonKey?: string
  startAfter?: Date
  /** Jobs of a higher one run first; 0 unless given. */
  priority?: number
}

export interface Job<P> {
  id: string
  payload: P
  /** 1 for the first run. */
  attempt: number
}

export interface WorkOptions<P> {
  /** Runs at once on this server. */
  concurrency: number
  /** A job's last run has failed, or was cut off by a crash. Called on one server, and again if it throws. */
  onGiveUp?(job: Job<P>, reason: string): Promise<void>
}

export interface Backlog {
  /** Not started yet, or between two runs. */
  waiting: number
  running: number
  /** Given up in the last 30 days. */
  dead: number
}

/** Thrown by a job that no retry can help: it is given up at once. */
export class UnrecoverableError extends Error {
  override name = 'UnrecoverableError'
}

/**
 * How often the idle workers of a queue look, together. Finds retries that are due, and what was enqueued elsewhere;
 * what is enqueued here wakes them, and whichever has found something wakes the others.
 */
const POLL_SECONDS = 2
const DEAD_POLL_SECONDS = 5
const HEARTBEAT_REFRESH_SECONDS = 3
const SETTLE_MS = 50
const LET_GO_MS = 2000

type PayloadMap<P> = { [Q in keyof P]: object }
/** How a run ended, in pg-boss's words; a failure that may be retried is thrown. */
type Outcome = { status: 'completed' | 'deadletter'; output?: object }

/**
 * Work that must happen although nobody waits for it. A job is written in the transaction that wants it done, and
 * runs at least once: when its server is killed, or stands still for longer than its heartbeat, it runs again, here
 * or elsewhere. So a handler must bear to run twice. It should end soon after its signal is aborted (it took too
 * long, lost its job, or the server stops): from then on it no longer counts as running.
 */
export class JobQueue<P extends PayloadMap<P> = Payloads> {
  /** pg-boss's ids of this server's workers. */
  private readonly workers = new Map<string, string[]>()
  private readonly running = new Map<string, JobWithMetadata>()

  private constructor(
    private readonly db: Db,
    private readonly boss: PgBoss,
    private readonly log: Logger,
  ) {}

  /** Creates what is missing in the database; several servers may do so at once. */
  static async open<P extends PayloadMap<P> = Payloads>(
    { db, embedded, log }: { db: Db; embedded: boolean; log: Logger },
    queues: Record<keyof P & string, QueueOptions> = QUEUES as never,
  ): Promise<JobQueue<P>> {
    const boss = createBoss(db, embedded, log)
    try {
      await boss.start()
      await defineQueues(boss, queues)
      if (embedded) await failAbandoned(db, boss)
    } catch (error) {
      await boss.stop({ graceful: false })
      throw error
    }
    return new JobQueue<P>(db, boss, log)
  }

  /**
   * Adds a job, which starts after the transaction's commit, or never after a rollback.
   * @returns false when one with the same `singletonKey` waits already
   */
  async enqueue<Q extends keyof P & string>(
    tx: Enqueuing,
    queue: Q,
    payload: P[Q],
    { singletonKey = crypto.randomUUID(), startAfter, priority = 0 }: EnqueueOptions = {},
  ): Promise<boolean> {
    const id = await this.boss.send(queue, payload, {
      db: bossDatabase(tx.db),
      singletonKey,
      priority,
      ...(startAfter && { startAfter }),
    })
    if (id === null) return false
    tx.afterCommit(() => this.wake(queue))
    return true
  }

  /** Lets this server run jobs of a queue. */
  async work<Q extends keyof P & string>(
    queue: Q,
    { concurrency, onGiveUp }: WorkOptions<P[Q]>,
    run: (job: Job<P[Q]>, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    for (let i = 0; i < concurrency; i++) {
      await this.addWorker<P[Q]>(queue, POLL_SECONDS * concurrency, (job) => this.run(queue, job, run))
    }
    if (!onGiveUp) return
    await this.addWorker<P[Q]>(deadOf(queue), DEAD_POLL_SECONDS, async (dead) => {
      const attempt = (dead.sourceRetryCount ?? 0) + 1
      await onGiveUp({ id: dead.sourceId ?? dead.id, payload: dead.data, attempt }, reason(dead.sourceOutput))
      return { status: 'completed' }
    })
  }

  /** Has this server's workers look for jobs now. */
  wake(queue: keyof P & string): void {
    this.wakeWorkers(queue)
  }

  async pending(queue: keyof P & string): Promise<Backlog> {
    const [backlog] = await runSql<Backlog>(
      this.db,
      `select count(*) filter (where name = $1 and state in ('created', 'retry'))::int as waiting,
              count(*) filter (where name = $1 and state = 'active')::int as running,
              count(*) filter (where name = $2)::int as dead
       from pgboss.job where name in ($1, $2)`,
      [queue, deadOf(queue)],
    )
    return backlog!
  }

  /** Starts no more jobs, waits for those that run, and leaves to others those that take longer. */
  async close(graceMs = 5000): Promise<void> {
    await within(graceMs, Promise.all([...this.workers.keys()].map((name) => this.boss.offWork(name))))
    // Bounded too: a database that does not answer must not keep the server from ending.
    await within(LET_GO_MS, this.letGo())
  }

  private async letGo(): Promise<void> {
    for (const job of this.running.values()) {
      await this.handBack(job).catch((error) =>
        this.log.warn({ err: error, job: job.id }, 'a job was not handed back; its heartbeat will end'),
      )
    }
    // Aborts the signals of what still runs.
    await this.boss.stop({ graceful: false })
  }

  private async addWorker<T extends object>(
    name: string,
    pollSeconds: number,
    run: (job: JobWithMetadata<T>) => Promise<Outcome>,
  ): Promise<void> {
    const ids = this.workers.getOrInsertComputed(name, () => [])
    const options = {
      ...({ includeMetadata: true, perJobResults: true } as const),
      pollingIntervalSeconds: pollSeconds,
      heartbeatRefreshSeconds: HEARTBEAT_REFRESH_SECONDS,
    }
    const id = await this.boss.work<T, unknown, typeof options>(name, options, async ([job]) => {
      // The others, for there may be more; and this one: it would pause after its job as if it had found none.
      this.wakeWorkers(name)
      return [{ id: job!.id, ...(await run(job!)) }]
    })
    ids.push(id)
  }

  private async run<T extends object>(
    queue: string,
    job: JobWithMetadata<T>,
    run: (job: Job<T>, signal: AbortSignal) => Promise<void>,
  ): Promise<Outcome> {
    const attempt = job.retryCount + 1
    // pg-boss writes the outcome a moment later. A hint that is too early is made up for by the poll.
    const givenUp = () => setTimeout(() => this.wakeWorkers(deadOf(queue)), SETTLE_MS)
    // The end of a run, also of one that took too long.
    if (job.retryCount >= job.retryLimit) job.signal.addEventListener('abort', givenUp, { once: true })
    this.running.set(job.id, job)
    try {
      await run({ id: job.id, payload: job.data, attempt }, job.signal)
      return { status: 'completed' }
    } catch (error) {
      this.log.warn({ err: error, queue, job: job.id, attempt }, 'a job failed')
      if (!(error instanceof UnrecoverableError)) throw error
      givenUp()
      return { status: 'deadletter', output: { message: error.message } }
    } finally {
      this.running.delete(job.id)
    }
  }

  private wakeWorkers(name: string): void {
    for (const id of this.workers.get(name) ?? []) this.boss.notifyWorker(id)
  }

  /** The server's stop is no failure of the job: it begins anew, with the runs that were left to it. */
  private async handBack({
    name,
    id,
    data,
    singletonKey,
    priority,
    retryCount,
    retryLimit,
  }: JobWithMetadata) {
    await this.db.transaction(async (tx) => {
      const db = bossDatabase(tx)
      const done = (await this.boss.cancel(name, { id, retryCount }, { db })) as { affected: number }
      if (done.affected === 0) return
      await this.boss.send(name, data, {
        db,
        priority,
        retryLimit: Math.max(0, retryLimit - retryCount),
        ...(singletonKey !== null && { singletonKey }),
      })
    })
  }
}

/**
 * Nobody else works on the embedded database: what runs there while a server starts was cut off when the last one
 * ended. Elsewhere a server is given up by the others when its heartbeat stops.
 */
async function failAbandoned(db: Db, boss: PgBoss): Promise<void> {
  const jobs = await runSql<{ name: string; id: string }>(
    db,
    "select name, id from pgboss.job where state = 'active'",
  )
  for (const { name, id } of jobs) await boss.fail(name, id, { message: 'the server was cut off' })
}

/** pg-boss keeps the fields of what was thrown, and wraps its own words. */
function reason(output: object | null): string {
  const { message, value } = (output ?? {}) as { message?: string; value?: { message?: string } }
  return message ?? value?.message ?? 'unknown'
}

const within = (ms: number, promise: Promise<unknown>): Promise<unknown> =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms).unref())])
