/**
 * A domain declares its jobs and schedules in `core/<domain>/jobs.ts`, beside what they do. `C` is the context that the
 * server hands to each run.
 */

export interface JobOptions {
  /** A run that takes longer fails, and its signal is aborted. */
  timeoutSeconds: number
  /** Runs after the first one has failed; then the queue gives the job up. */
  retries: number
  /** The first pause before a retry is one to two times `seconds`, every further one twice as long, up to `maxSeconds`. */
  backoff: { seconds: number; maxSeconds: number }
}

/**
 * What enqueues a job needs only this: the job's work often imports the module that enqueues it, and both import the
 * handle. Payloads carry ids rather than data, because a job may run long after it was written, on another server, and
 * more than once.
 */
export interface JobHandle<P extends object = object> {
  /** Of the queue in the database. */
  readonly name: string
  readonly options: JobOptions
  /** Never set: it only lets the type checker know what a job carries. */
  readonly payload?: P
}

export interface JobRun {
  /** 1 for the first run. */
  attempt: number
  /** Aborted when the run took too long, lost its job to another server, or the server stops. */
  signal: AbortSignal
}

export interface GivenUp {
  /** Why the last run failed. */
  reason: string
  /** How many runs the job had. */
  attempt: number
}

export interface Job<C, P extends object = object> extends JobHandle<P> {
  /** Runs at once on each server. */
  readonly concurrency: number
  /** May be called twice for one job: a server that is killed has its jobs run again. */
  run(ctx: C, payload: P, run: JobRun): Promise<void>
  /** Called on one server after the last run has failed or was cut off by a crash, and again if it throws. */
  onGiveUp?(ctx: C, payload: P, end: GivenUp): Promise<void>
}

export interface Schedule<C> {
  readonly id: string
  readonly name: string
  /**
   * A cron pattern, in UTC: all servers must mean the same instants. A function reads it from the configuration; undefined when
   * nothing is scheduled.
   */
  readonly pattern: string | ((ctx: C) => string | undefined)
  /** Must tolerate two runs at once; the result is logged, unless it is undefined. `signal` is aborted when the server stops. */
  run(ctx: C, signal: AbortSignal): Promise<unknown>
}

/** What a domain's `jobs.ts` exports. */
export interface DomainJobs<C> {
  jobs?: readonly Job<C>[]
  schedules?: readonly Schedule<C>[]
}

export const jobHandle = <P extends object>(name: string, options: JobOptions): JobHandle<P> => ({
  name,
  options,
})

export const defineJob = <C, P extends object>(job: Job<C, P>): Job<C, P> => job

export const defineSchedule = <C>(schedule: Schedule<C>): Schedule<C> => schedule
