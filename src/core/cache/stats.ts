import type { GroupStats } from '../../cache/cache.ts'
import type { Context } from '../context.ts'
import { CACHED_DOMAINS, type CachedDomain } from '../generations/generations.ts'

export interface CacheReport {
  adapter: 'memory' | 'redis'
  /** Whether Redis answers. */
  connected: boolean
  /** Of Redis, or of the cache in this process. */
  usedBytes: number
  keys: number
  /** 0 to 1; 0 before the first request. */
  hitRate: number
  domains: Record<CachedDomain, { keys: number; hitRate: number }>
}

/** With Redis, hits and misses are those of all servers within a day at most; without it, those of this server since its start. */
export async function reportCache(ctx: Context): Promise<CacheReport> {
  const { groups, ...sizes } = await ctx.cache.stats()
  const statsOf = (domain: CachedDomain): GroupStats => groups.get(domain) ?? { keys: 0, hits: 0, misses: 0 }
  const all = CACHED_DOMAINS.map(statsOf)
  return {
    adapter: ctx.cache.kind,
    ...sizes,
    hitRate: rateOf({
      hits: all.reduce((sum, { hits }) => sum + hits, 0),
      misses: all.reduce((sum, { misses }) => sum + misses, 0),
    }),
    domains: Object.fromEntries(
      CACHED_DOMAINS.map((domain) => [
        domain,
        { keys: statsOf(domain).keys, hitRate: rateOf(statsOf(domain)) },
      ]),
    ) as CacheReport['domains'],
  }
}

const rateOf = ({ hits, misses }: Omit<GroupStats, 'keys'>): number =>
  hits + misses === 0 ? 0 : hits / (hits + misses)
