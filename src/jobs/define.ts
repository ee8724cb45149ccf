import type { PgBoss } from 'pg-boss'
import type { JobHandle } from './job.ts'

/** A job is lost when its server has sent no heartbeat for this time; the least that pg-boss allows. */
const HEARTBEAT_SECONDS = 10
const HOUR_SECONDS = 3600
const MONTH_SECONDS = 30 * 24 * HOUR_SECONDS

/** The queue with the copies of given-up jobs, for `onGiveUp` and for administrators who look into the database. */
export const deadOf = (queue: string): string => `${queue}.dead`

type BossQueue = Parameters<PgBoss['updateQueue']>[1] & object

/** Creates the queues in the database that are missing, and updates those whose options have changed. */
export async function defineQueues(boss: PgBoss, jobs: readonly JobHandle[]): Promise<void> {
  const existing = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]))
  const define = async (name: string, policy: string, options: BossQueue) => {
    const queue = existing.get(name)
    if (!queue) await boss.createQueue(name, { ...options, policy } as object)
    else if (differs(queue, options)) await boss.updateQueue(name, options)
    else return
    // Reads the queue into pg-boss's cache. Otherwise the first `send` would read it outside its transaction, and wait
    // for ever on the embedded database, which has only one connection.
    await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' })
  }
  const common = { heartbeatSeconds: HEARTBEAT_SECONDS, retryBackoff: true, retentionSeconds: MONTH_SECONDS }
  for (const { name, options } of jobs) {
    await define(deadOf(name), 'standard', {
      ...common,
      deleteAfterSeconds: MONTH_SECONDS,
      expireInSeconds: 60,
      retryLimit: 12,
      retryDelay: 2,
      retryDelayMax: 600,
    })
    // `short`: a key is unique among the jobs that have not started. Ended jobs are deleted after an hour, because
    // pg-boss reads all that are there whenever it monitors the queue; a given-up job has its copy.
    await define(name, 'short', {
      ...common,
      deleteAfterSeconds: HOUR_SECONDS,
      deadLetter: deadOf(name),
      expireInSeconds: options.timeoutSeconds,
      retryLimit: options.retries,
      retryDelay: options.backoff.seconds,
      retryDelayMax: options.backoff.maxSeconds,
    })
  }
}

const differs = (existing: object, wanted: object): boolean =>
  Object.entries(wanted).some(([key, value]) => existing[key as never] !== value)
