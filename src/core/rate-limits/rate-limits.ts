import type { Bus } from '../../bus/bus.ts'
import { type Counter, Counters } from '../../util/counters.ts'
import type { Logger } from '../../util/logger.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'
import { type Context, isTx } from '../context.ts'
import { AppError } from '../errors.ts'

/** At most `max` uses from the first one until `windowMs` later, for each key. */
export interface Limit {
  /** The name of the limit, which clients see: `sign-in`. */
  policy: string
  /** Whose uses are counted together. */
  key: string
  max: number
  windowMs: number
}

/** A limit after a use. */
export interface Standing {
  policy: string
  max: number
  windowMs: number
  /** How many uses the window still has. */
  remaining: number
  /** Whether this use was one too many. */
  exceeded: boolean
  /** How long the window still lasts, in ms. */
  resetMs: number
}

/** The attempts under one limit in this process, for {@link RateLimits.enforceOnFailures}. */
interface Attempts {
  running: number
  waiting: (() => void)[]
}

/** How long a request waits for Redis: so many times so many ms. */
const WAITS = 5
const WAIT_MS = 50
const AWAY_MS = 5000

/**
 * Counts uses against limits. The counters are on the bus, so that all servers share them. While Redis fails or hangs, this
 * server counts in its own memory.
 */
export class RateLimits {
  private readonly attempts = new Map<string, Attempts>()
  private readonly own = new Counters()
  /** While Redis is away: until then this server does not ask it. */
  private awayUntil: number | undefined
  /** How many uses were refused, by policy. */
  readonly refused: Record<string, number> = {}

  /**
   * @param enabled RATE_LIMITS; when false nothing is counted
   * @param awayMs how long this server counts by itself after Redis has failed
   */
  constructor(
    private readonly bus: Pick<Bus, 'increment' | 'decrement'>,
    private readonly log: Pick<Logger, 'warn'>,
    private readonly enabled: boolean,
    private readonly awayMs = AWAY_MS,
  ) {}

  /** Counts one use under a limit. A promise only when the counters are on Redis. */
  use(limit: Limit): Standing | Promise<Standing> {
    const counted = this.count(limit)
    return counted instanceof Promise
      ? counted.then((counter) => this.standing(limit, counter))
      : this.standing(limit, counted)
  }

  /** See {@link enforceLimits}. */
  async enforce(limits: Limit[]): Promise<void> {
    if (!this.enabled) return
    for (const standing of await Promise.all(limits.map((limit) => this.use(limit)))) {
      if (standing.exceeded) throw rateLimited(standing)
    }
  }

  /** See {@link enforceFailureLimits}. */
  async enforceOnFailures<T>(
    [limit, ...others]: Limit[],
    attempt: () => Promise<T | undefined>,
    mayWait = true,
  ): Promise<T | undefined> {
    if (!limit || !this.enabled) return attempt()
    const store = await this.enter(limit, mayWait)
    let failed = false
    try {
      const result = await this.enforceOnFailures(others, attempt, mayWait)
      failed = result === undefined
      return result
    } finally {
      if (!failed) await this.takeBack(limit, store)
      this.leave(keyOf(limit))
    }
  }

  /**
   * Counts an attempt before it runs. When the limit is used up, the attempts that run may still succeed and be
   * uncounted, so this one waits until one of them has ended, and is refused only when none runs, or when it must not wait.
   * @returns where the attempt was counted
   */
  private async enter(limit: Limit, mayWait: boolean): Promise<'bus' | 'own'> {
    const key = keyOf(limit)
    const attempts = this.attempts.get(key) ?? { running: 0, waiting: [] }
    this.attempts.set(key, attempts)
    attempts.running++
    for (;;) {
      const { store = 'bus', ...counter } = await this.count(limit)
      if (counter.count <= limit.max) return store
      if (attempts.running === 1 || !mayWait) {
        this.leave(key)
        throw rateLimited(this.standing(limit, counter))
      }
      attempts.running--
      await new Promise<void>((resolve) => attempts.waiting.push(resolve))
    }
  }

  private leave(key: string): void {
    const attempts = this.attempts.get(key)!
    const next = attempts.waiting.shift()
    // The next attempt takes the place of the one that leaves, so `running` stays the same.
    if (next) next()
    else if (--attempts.running === 0) this.attempts.delete(key)
  }

  private count(limit: Limit): Counted | Promise<Counted> {
    if (this.awayUntil !== undefined && performance.now() < this.awayUntil) return this.countHere(limit)
    const counted = this.bus.increment(keyOf(limit), limit.windowMs, limit.max)
    return counted instanceof Promise ? this.countThere(limit, counted) : counted
  }

  private async countThere(limit: Limit, counted: Promise<Counter>): Promise<Counted> {
    const counter = await answerOf(counted).catch(() => undefined)
    if (counter) {
      if (this.awayUntil !== undefined && performance.now() >= this.awayUntil) {
        this.awayUntil = undefined
        this.own.clear()
      }
      return counter
    }
    if (this.awayUntil === undefined)
      this.log.warn('Redis does not answer; this server counts rate limits by itself')
    this.awayUntil = performance.now() + this.awayMs
    return this.countHere(limit)
  }

  private countHere(limit: Limit): Counted {
    return { ...this.own.increment(keyOf(limit), limit.windowMs, limit.max), store: 'own' }
  }

  private async takeBack(limit: Limit, store: 'bus' | 'own'): Promise<void> {
    if (store === 'own') this.own.decrement(keyOf(limit))
    else {
      const takenBack = this.bus.decrement(keyOf(limit))
      // When Redis fails, the attempt stays counted until its window ends.
      if (takenBack) await answerOf(takenBack).catch(() => {})
    }
  }

  private standing({ policy, max, windowMs }: Limit, { count, resetMs }: Counter): Standing {
    const exceeded = count > max
    if (exceeded) this.refused[policy] = (this.refused[policy] ?? 0) + 1
    return { policy, max, windowMs, remaining: Math.max(0, max - count), exceeded, resetMs }
  }
}

/**
 * Waits for Redis. While this server is busy, an answer that has arrived is not read before a timer ends. Several short timers
 * give it the time to be read, so that a burst of requests does not make each server count by itself.
 * @returns undefined without an answer in time
 */
async function answerOf<T>(asked: Promise<T>): Promise<T | undefined> {
  for (let wait = 1; wait <= WAITS; wait++) {
    const answer = await waitAtMost(WAIT_MS, asked)
    if (answer !== undefined) return answer
  }
  return undefined
}

/** A counter, and `own` when it is one of this server. */
type Counted = Counter & { store?: 'own' }

const keyOf = ({ policy, key }: Limit): string => `limit:${policy}:${key}`

/**
 * Counts one use under each limit, whether the use succeeds or not.
 * @throws AppError RATE_LIMITED when a limit is exceeded
 */
export const enforceLimits = (ctx: Context, limits: Limit[]): Promise<void> =>
  ctx.services.rateLimits.enforce(limits)

/**
 * Counts only the attempts that fail, which are those that resolve to undefined. An attempt is counted before it runs
 * and uncounted when it succeeds, because concurrent attempts would otherwise all start below the limit.
 * @throws AppError RATE_LIMITED when a limit is used up
 */
export const enforceFailureLimits = <T>(
  ctx: Context,
  limits: Limit[],
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> =>
  // Inside a transaction an attempt must not wait for another one, which may need the connection that the transaction holds.
  ctx.services.rateLimits.enforceOnFailures(limits, attempt, !isTx(ctx))

/** What the error says. */
export type RateLimitedParams = {
  limit: number
  /** Seconds. */
  window: number
  resetAt: string
  /** Seconds until then. */
  seconds: number
  policy: string
}

/** The error for a use that is one too many. */
export function rateLimited({ policy, max, windowMs, resetMs }: Standing): AppError {
  const params: RateLimitedParams = {
    limit: max,
    window: windowMs / 1000,
    resetAt: iso(resetSecond(resetMs)),
    seconds: Math.ceil(resetMs / 1000),
    policy,
  }
  return new AppError('RATE_LIMITED', { params })
}

/** When a window ends, in whole seconds since 1970. */
export const resetSecond = (resetMs: number): number => Math.ceil((Date.now() + resetMs) / 1000)

const iso = (second: number): string => `${new Date(second * 1000).toISOString().slice(0, -5)}Z`
