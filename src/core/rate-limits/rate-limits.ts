import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { foldCase } from '../../util/fold.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'

/** Something that may happen `max` times from its first time until `windowMs` later. */
export interface Limit {
  key: string
  max: number
  windowMs: number
}

/** A name as a part of a key: the broker need not know who it is about. Names that fold alike are one. */
export const keyOf = (name: string): string =>
  createHash('sha256').update(foldCase(name.trim())).digest('base64url').slice(0, 22)

/** An address as a part of a key: of IPv6 the network, because whoever has one address of it has all of them. */
export function networkOf(ip: string): string {
  if (isIP(ip) !== 6) return ip
  const [head = '', tail = ''] = ip.split('::')
  const groups = head.split(':').filter(Boolean)
  const missing = 8 - groups.length - tail.split(':').filter(Boolean).length
  if (ip.includes('::')) groups.push(...Array(Math.max(missing, 0)).fill('0'), ...tail.split(':'))
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/**
 * Counts one more of each, for what counts whether it succeeds or not.
 * @throws AppError RATE_LIMITED when that is more than a limit allows
 */
export async function throttle(ctx: Context, limits: Limit[]): Promise<void> {
  if (!ctx.config.rateLimits) return
  const counters = await Promise.all(limits.map((limit) => increment(ctx, limit)))
  for (const [i, counter] of counters.entries()) {
    if (counter && counter.count > limits[i]!.max) throw limited(limits[i]!, counter.resetMs)
  }
}

/**
 * For what counts only when it fails: when `attempt` answers undefined. It is counted before, or tries at once would
 * all find the limit not yet used up, and taken back after.
 * @throws AppError RATE_LIMITED when a limit is used up
 */
export async function throttleFailures<T>(
  ctx: Context,
  [limit, ...others]: Limit[],
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> {
  if (!limit || !ctx.config.rateLimits) return attempt()
  const counted = await enter(ctx, limit)
  let failed = false
  try {
    const result = await throttleFailures(ctx, others, attempt)
    failed = result === undefined
    return result
  } finally {
    if (counted && !failed) await ctx.bus.decrement(limit.key).catch(() => undefined)
    leave(limit.key)
  }
}

/** The tries of one limit in this process. Whoever waits does so for one that is under way. */
interface Tries {
  underWay: number
  waiting: (() => void)[]
}

const triesOf = new Map<string, Tries>()

/** Where the limit leaves no room, those under way may still succeed, and make some: they are waited for. */
async function enter(ctx: Context, limit: Limit): Promise<boolean> {
  const tries = triesOf.get(limit.key) ?? { underWay: 0, waiting: [] }
  triesOf.set(limit.key, tries)
  tries.underWay++
  for (;;) {
    const counter = await increment(ctx, limit)
    if (!counter || counter.count <= limit.max) return counter !== undefined
    if (tries.underWay === 1) {
      leave(limit.key)
      throw limited(limit, counter.resetMs)
    }
    tries.underWay--
    await new Promise<void>((resolve) => tries.waiting.push(resolve))
  }
}

function leave(key: string): void {
  const tries = triesOf.get(key)!
  const next = tries.waiting.shift()
  // The next one counts as under way from here on, in place of the one that leaves.
  if (next) next()
  else if (--tries.underWay === 0) triesOf.delete(key)
}

/** Undefined without the broker: that one is away must not lock everybody out. */
const increment = (ctx: Context, { key, windowMs, max }: Limit) =>
  ctx.bus.increment(key, windowMs, max).catch(() => undefined)

const limited = ({ max }: Limit, resetMs: number) =>
  new AppError('RATE_LIMITED', { params: { seconds: Math.ceil(resetMs / 1000), limit: max } })
