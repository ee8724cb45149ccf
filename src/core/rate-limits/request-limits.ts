import type { Context } from '../context.ts'
import { networkOf } from './keys.ts'
import type { Standing } from './rate-limits.ts'

/** The class of a route, which says how often it may be called: docs/contracts/portfolio.md, "Rate limits". */
export type LimitClass = keyof Context['config']['requestLimits']

/** Sign-in and refresh are limited for each address, because whoever guesses passwords has no account. */
const BY_ADDRESS: LimitClass = 'auth'

/** Who sends a request. `userId` is undefined without a valid access token. */
export interface Caller {
  userId: number | undefined
  ip: string
}

/**
 * Counts a request. A signed-in user has limits of their own; requests without a valid token count for the network that
 * they come from.
 */
export function countRequest(
  ctx: Context,
  limitClass: LimitClass,
  { userId, ip }: Caller,
): Standing | Promise<Standing> {
  const { max, seconds } = ctx.config.requestLimits[limitClass]
  const key = userId === undefined || limitClass === BY_ADDRESS ? networkOf(ip) : `user:${userId}`
  return ctx.services.rateLimits.use({ policy: limitClass, key, max, windowMs: seconds * 1000 })
}
