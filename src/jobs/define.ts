import type { PgBoss } from 'pg-boss'
import type { QueueOptions } from './queues.ts'

/** Silent for so long, the server of a job counts as gone; the least that pg-boss allows. */
const HEARTBEAT_SECONDS = 10
const HOUR_SECONDS = 3600
const MONTH_SECONDS = 30 * 24 * HOUR_SECONDS

/** Where the copies of given-up jobs wait for `onGiveUp` and for a person's eyes. */
export const deadOf = (queue: string): string => `${queue}.dead`

type BossQueue = Parameters<PgBoss['updateQueue']>[1] & object

/** Brings the queues in the database into line with the code. */
export async function defineQueues(boss: PgBoss, queues: Record<string, QueueOptions>): Promise<void> {
  const present = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]))
  const define = async (name: string, policy: string, options: BossQueue) => {
    const queue = present.get(name)
    if (!queue) await boss.createQueue(name, { ...options, policy } as object)
    else if (differs(queue, options)) await boss.updateQueue(name, options)
    else return
    // Reads the queue into pg-boss's cache. Else the first `send` would, beside its transaction, and on the
    // embedded database's only connection that waits for ever.
    await boss.findJobs(name, { id: '00000000-0000-0000-0000-000000000000' })
  }
  for (const [name, { timeoutSeconds, retries, backoff }] of Object.entries(queues)) {
    const kept = { heartbeatSeconds: HEARTBEAT_SECONDS, retryBackoff: true, retentionSeconds: MONTH_SECONDS }
    await define(deadOf(name), 'standard', {
      ...{ ...kept, deleteAfterSeconds: MONTH_SECONDS },
      ...{ expireInSeconds: 60, retryLimit: 12, retryDelay: 2, retryDelayMax: 600 },
    })
    // `short`: a key is unique among the jobs that have not started. What has ended is soon deleted: what was given
    // up has its copy, and pg-boss's look at the queue reads all that is kept.
    await define(name, 'short', {
      ...{ ...kept, deleteAfterSeconds: HOUR_SECONDS, deadLetter: deadOf(name) },
      ...{ expireInSeconds: timeoutSeconds, retryLimit: retries },
      ...{ retryDelay: backoff.seconds, retryDelayMax: backoff.maxSeconds },
    })
  }
}

const differs = (present: object, wanted: object): boolean =>
  Object.entries(wanted).some(([key, value]) => present[key as never] !== value)
