import { readConfig } from '../../src/config/index.ts'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { defineJob, type GivenUp, type JobOptions, type JobRun, jobHandle } from '../../src/jobs/job.ts'
import { type EnqueueOptions, JobQueue } from '../../src/jobs/queue.ts'
import { createLogger } from '../../src/util/logger.ts'
import { freshParts } from '../support/server.ts'

export const silent = createLogger('silent')

export interface Payload {
  n: number
}
export const QUICK: JobOptions = { timeoutSeconds: 20, retries: 1, backoff: { seconds: 1, maxSeconds: 1 } }

/** Connections of several servers to one database. On the embedded database they share its only connection. */
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

export const named = (name: string, options: JobOptions = QUICK) => jobHandle<Payload>(name, options)

export const openQueue = (database: Database, queues: Record<string, JobOptions>): Promise<JobQueue> =>
  JobQueue.open(
    { ...database, log: silent },
    Object.entries(queues).map(([name, options]) => named(name, options)),
  )

/** The job that a run, or the hook of a given-up job, gets. */
export interface TestJob {
  payload: Payload
  attempt: number
}

/** Lets a server run the jobs of a queue. */
export const work = (
  queue: JobQueue,
  name: string,
  {
    concurrency,
    onGiveUp,
  }: { concurrency: number; onGiveUp?: (job: TestJob, reason: string) => Promise<void> },
  run: (job: TestJob, signal: AbortSignal) => Promise<void>,
): Promise<void> =>
  queue.start(undefined, [
    defineJob({
      ...named(name),
      concurrency,
      run: (_: undefined, payload: Payload, { attempt, signal }: JobRun) => run({ payload, attempt }, signal),
      ...(onGiveUp && {
        onGiveUp: (_: undefined, payload: Payload, { reason, attempt }: GivenUp) =>
          onGiveUp({ payload, attempt }, reason),
      }),
    }),
  ])

/** Enqueues a job in its own transaction, as core does. */
export async function enqueue(
  database: Database,
  queue: JobQueue,
  name: string,
  n = 0,
  options: EnqueueOptions = {},
): Promise<boolean> {
  const hooks: (() => void)[] = []
  const added = await database.db.transaction((db) =>
    queue.enqueue({ db, afterCommit: (run) => hooks.push(run) }, named(name), { n }, options),
  )
  for (const hook of hooks) hook()
  return added
}

/** A promise that the test resolves when something happens. */
export const signalled = <T = void>() => Promise.withResolvers<T>()

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
