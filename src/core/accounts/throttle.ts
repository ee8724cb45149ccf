import { createHash } from 'node:crypto'
import type { Core } from '../context.ts'
import { AppError } from '../errors.ts'

const WINDOW_MS = 5 * 60_000
/** Only failures count: somebody who knows the password is never held up by their own sign-ins. */
const PER_ACCOUNT_AND_ADDRESS = 10
const PER_ADDRESS = 100

const keys = (ip: string, name: string) => {
  const account = createHash('sha256').update(name.toLowerCase()).digest('base64url').slice(0, 22)
  return [
    { key: `signin:${ip}:${account}`, limit: PER_ACCOUNT_AND_ADDRESS },
    { key: `signin:${ip}`, limit: PER_ADDRESS },
  ]
}

/** @throws AppError RATE_LIMITED after too many failed sign-ins */
export async function assertMayTry(ctx: Core, ip: string, name: string): Promise<void> {
  if (!ctx.config.rateLimits) return
  const counters = await Promise.all(
    keys(ip, name).map(async ({ key, limit }) => {
      const counter = await ctx.bus.count(key).catch(() => ({ count: 0, resetMs: 0 }))
      return { ...counter, limit }
    }),
  )
  for (const { count, resetMs, limit } of counters) {
    if (count >= limit) {
      throw new AppError('RATE_LIMITED', { params: { seconds: Math.ceil(resetMs / 1000), limit } })
    }
  }
}

/** A broker that is away must not lock everybody out, so its errors are passed over. */
export async function recordFailure(ctx: Core, ip: string, name: string): Promise<void> {
  if (!ctx.config.rateLimits) return
  await Promise.all(keys(ip, name).map(({ key }) => ctx.bus.increment(key, WINDOW_MS).catch(() => undefined)))
}
