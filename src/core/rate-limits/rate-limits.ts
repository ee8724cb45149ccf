import type { Bus } from '../../bus/bus.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'

/** At most `max` uses from the first one until `windowMs` later. */
export interface Limit {
  key: string
  max: number
  windowMs: number
}

/** The attempts under one limit in this process, for {@link RateLimits.enforceOnFailures}. */
interface Attempts {
  running: number
  waiting: (() => void)[]
}

/** Counts uses against limits. The counters are on the bus, so that all servers share them. */
export class RateLimits {
  private readonly attempts = new Map<string, Attempts>()

  /** @param enabled RATE_LIMITS; when false nothing is counted */
  constructor(
    private readonly bus: Pick<Bus, 'increment' | 'decrement'>,
    private readonly enabled: boolean,
  ) {}

  /** See {@link enforceLimits}. */
  async enforce(limits: Limit[]): Promise<void> {
    if (!this.enabled) return
    const counters = await Promise.all(limits.map((limit) => this.increment(limit)))
    for (const [i, counter] of counters.entries()) {
      if (counter && counter.count > limits[i]!.max) throw rateLimited(limits[i]!, counter.resetMs)
    }
  }

  /** See {@link enforceFailureLimits}. */
  async enforceOnFailures<T>(
    [limit, ...others]: Limit[],
    attempt: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!limit || !this.enabled) return attempt()
    const counted = await this.enter(limit)
    let failed = false
    try {
      const result = await this.enforceOnFailures(others, attempt)
      failed = result === undefined
      return result
    } finally {
      if (counted && !failed) await this.bus.decrement(limit.key).catch(() => undefined)
      this.leave(limit.key)
    }
  }

  /**
   * Counts an attempt before it runs. When the limit is used up, the attempts that run may still succeed and be
   * uncounted, so this one waits until one of them has ended, and is refused only when none runs.
   * @returns whether the attempt was counted
   */
  private async enter(limit: Limit): Promise<boolean> {
    const attempts = this.attempts.get(limit.key) ?? { running: 0, waiting: [] }
    this.attempts.set(limit.key, attempts)
    attempts.running++
    for (;;) {
      const counter = await this.increment(limit)
      if (!counter || counter.count <= limit.max) return counter !== undefined
      if (attempts.running === 1) {
        this.leave(limit.key)
        throw rateLimited(limit, counter.resetMs)
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

  /** Undefined when Redis does not answer: its outage must not lock every user out. */
  private increment({ key, windowMs, max }: Limit) {
    return this.bus.increment(key, windowMs, max).catch(() => undefined)
  }
}

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
): Promise<T | undefined> => ctx.services.rateLimits.enforceOnFailures(limits, attempt)

const rateLimited = ({ max }: Limit, resetMs: number) =>
  new AppError('RATE_LIMITED', { params: { seconds: Math.ceil(resetMs / 1000), limit: max } })
