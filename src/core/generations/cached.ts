import type { Value } from '../../cache/cache.ts'
import { type Context, isTx } from '../context.ts'
import type { CachedDomain } from './generations.ts'

/** How long an answer is kept: after a change of its data nobody asks for it any more, and it takes memory until then. */
const TTL_MS = 5 * 60_000

export interface CachedAnswer {
  /** All kinds of data that the answer is made of. It is counted, and cleared, as one of the first. */
  of: readonly [CachedDomain, ...CachedDomain[]]
  /** What is asked, and for which viewers (`scopeOf`): all that the answer depends on besides the data. It begins with a name. */
  key: readonly [string, ...unknown[]]
  /** Only for an answer that also depends on the time. */
  ttlMs?: number
}

/**
 * What `compute` answers, until a change of the data that it is made of: nobody who asks after a commit gets an older answer, on
 * whichever server. Inside a transaction it computes, because others must not see what is not committed.
 * @returns a value that all callers share, so nobody may change it; no address of a file, because those expire
 */
export async function cached<T extends Value>(
  ctx: Context,
  { of, key, ttlMs = TTL_MS }: CachedAnswer,
  compute: () => Promise<T>,
): Promise<T> {
  if (isTx(ctx)) return compute()
  const generationOf = await ctx.services.generations.read()
  const generations = of.map(generationOf).join('.')
  const entry = { group: of[0], key: `${generations} ${JSON.stringify(key)}`, ttlMs }
  return ctx.cache.read(entry, compute)
}
