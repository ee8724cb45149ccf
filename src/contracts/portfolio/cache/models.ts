/** Wire models of the cache: docs/contracts/portfolio.md, "Cache". */
import { type Static, t } from 'elysia'
import { CACHED_DOMAINS } from '../../../core/generations/generations.ts'
import { choice } from '../../../http/choice.ts'
import { named } from '../../../http/openapi/schemas.ts'

const Cleared = choice(CACHED_DOMAINS)
export const CacheClearing = t.Object({
  types: t.Array(Cleared, { minItems: 1, maxItems: CACHED_DOMAINS.length }),
  confirm: t.Literal(true),
})
export const ClearedCache = t.Object({ types: t.Array(Cleared) })

export const WARMABLE = ['popular_photos', 'category_tree', 'tag_cloud'] as const
const Warmed = choice(WARMABLE)
export const CacheWarming = t.Object({ types: t.Array(Warmed, { minItems: 1, maxItems: WARMABLE.length }) })
export const WarmedCache = t.Object({ types: t.Array(Warmed) })

const Category = t.Object({ keys: t.Integer(), hit_rate: t.Number() })
export const CacheStats = t.Object({
  adapter: choice(['memory', 'redis']),
  redis: t.Object({
    connected: t.Boolean(),
    used_memory: t.String(),
    total_keys: t.Integer(),
    hit_rate: t.Number(),
  }),
  categories: t.Object({ photos: Category, categories: Category, tags: Category, settings: Category }),
})
export type CacheStats = Static<typeof CacheStats>

named({ CacheStats, ClearedCache, WarmedCache })
