import { createHash } from 'node:crypto'
import type { Core } from './context.ts'
import { AppError } from './errors.ts'

/** Something that may happen `max` times from its first time until `windowMs` later. */
export interface Limit {
  key: string
  max: number
  windowMs: number
}

/** A name as a part of a key: the broker need not know who it is about. */
export const keyOf = (name: string): string =>
  createHash('sha256').update(name.toLowerCase()).digest('base64url').slice(0, 22)

/**
 * Counts one more of each, for what counts whether it succeeds or not.
 * @throws AppError RATE_LIMITED when that is more than a limit allows
 */
export async function throttle(ctx: Core, limits: Limit[]): Promise<void> {
  await refuseAbove(ctx, limits, ({ key, windowMs }) => ctx.bus.increment(key, windowMs), 0)
}

/**
 * For what counts only when it fails: then `countFailure` follows.
 * @throws AppError RATE_LIMITED when a limit is used up
 */
export async function assertMayTry(ctx: Core, limits: Limit[]): Promise<void> {
  await refuseAbove(ctx, limits, ({ key }) => ctx.bus.count(key), 1)
}

export async function countFailure(ctx: Core, limits: Limit[]): Promise<void> {
  if (!ctx.config.rateLimits) return
  await Promise.all(
    limits.map(({ key, windowMs }) => ctx.bus.increment(key, windowMs).catch(() => undefined)),
  )
}

/** `next`: what this try would add to the counters. A broker that is away must not lock everybody out. */
async function refuseAbove(
  ctx: Core,
  limits: Limit[],
  read: (limit: Limit) => Promise<{ count: number; resetMs: number }>,
  next: number,
): Promise<void> {
  if (!ctx.config.rateLimits) return
  const counters = await Promise.all(
    limits.map((limit) => read(limit).catch(() => ({ count: 0, resetMs: 0 }))),
  )
  for (const [i, { count, resetMs }] of counters.entries()) {
    const { max } = limits[i]!
    if (count + next <= max) continue
    throw new AppError('RATE_LIMITED', { params: { seconds: Math.ceil(resetMs / 1000), limit: max } })
  }
}
