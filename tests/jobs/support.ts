import { readConfig } from '../../src/config/index.ts'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { type EnqueueOptions, JobQueue } from '../../src/jobs/queue.ts'
import type { QueueOptions } from '../../src/jobs/queues.ts'
import { createLogger } from '../../src/util/logger.ts'
import { freshParts } from '../support/server.ts'

export const silent = createLogger('silent')

export interface Payload {
  n: number
}
export type TestQueue = JobQueue<Record<string, Payload>>

export const QUICK: QueueOptions = { timeoutSeconds: 20, retries: 1, backoff: { seconds: 1, maxSeconds: 1 } }

/** One database, as several servers have it. On the embedded one they share its only connection. */
export async function openServers(count: number) {
  const stack = new AsyncDisposableStack()
  const { env, remove } = await freshParts()
  stack.defer(remove)
  const databases: Database[] = []
  for (let i = 0; i < count; i++) {
    const [first] = databases
    databases.push(first?.embedded ? first : await openDatabase(readConfig(env), silent))
  }
  stack.defer(async () => {
    for (const database of new Set(databases)) await database.close()
  })
  return { databases, env, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export const openQueue = (database: Database, queues: Record<string, QueueOptions>): Promise<TestQueue> =>
  JobQueue.open<Record<string, Payload>>({ ...database, log: silent }, queues)

/** Enqueues in a transaction of its own, as the core does it. */
export async function enqueue(
  database: Database,
  queue: TestQueue,
  name: string,
  n = 0,
  options: EnqueueOptions = {},
): Promise<boolean> {
  const hooks: (() => void)[] = []
  const added = await database.db.transaction((db) =>
    queue.enqueue({ db, afterCommit: (run) => hooks.push(run) }, name, { n }, options),
  )
  for (const hook of hooks) hook()
  return added
}

/** A promise that something resolves which happens once. */
export const signalled = <T = void>() => Promise.withResolvers<T>()

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
