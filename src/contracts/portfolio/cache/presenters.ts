import type { CacheReport } from '../../../core/cache/stats.ts'
import { twoDecimals } from '../../../util/two-decimals.ts'
import type { CacheStats } from './models.ts'

export const presentCache = ({
  adapter,
  connected,
  usedBytes,
  keys,
  hitRate,
  domains,
}: CacheReport): CacheStats => ({
  adapter,
  redis: {
    connected,
    used_memory: `${(usedBytes / 1024 ** 2).toFixed(1)}MB`,
    total_keys: keys,
    hit_rate: twoDecimals(hitRate),
  },
  categories: {
    photos: presentDomain(domains.photos),
    categories: presentDomain(domains.categories),
    tags: presentDomain(domains.tags),
    settings: presentDomain(domains.settings),
  },
})

const presentDomain = ({ keys, hitRate }: { keys: number; hitRate: number }) => ({
  keys,
  hit_rate: twoDecimals(hitRate),
})
