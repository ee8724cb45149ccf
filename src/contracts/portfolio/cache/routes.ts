import { clearCache } from '../../../core/cache/clear.ts'
import { reportCache } from '../../../core/cache/stats.ts'
import { type Warmable, warmCache } from '../../../core/cache/warm.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import {
  CacheClearing,
  CacheStats,
  CacheWarming,
  ClearedCache,
  type WARMABLE,
  WarmedCache,
} from './models.ts'
import { presentCache } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'cache', { limit: 'admin' })

export const cacheRoutes = (ctx: Context) =>
  routes(ctx, '/settings/cache')
    .post(
      '/clear',
      clear,
      route({
        auth: 'settings.update',
        summary: 'Clear the cache of kinds of data, on all servers',
        body: CacheClearing,
        example: { types: ['photos', 'categories', 'tags', 'settings'], confirm: true },
        response: Envelope(ClearedCache),
      }),
    )
    .post(
      '/warm',
      warm,
      route({
        auth: 'settings.update',
        summary: 'Compute what visitors ask for first',
        body: CacheWarming,
        example: { types: ['popular_photos', 'category_tree', 'tag_cloud'] },
        response: Envelope(WarmedCache),
      }),
    )
    .get(
      '/stats',
      showStats,
      route({
        auth: 'settings.read',
        summary: 'Show what the cache holds, and how often it has the answer',
        response: Envelope(CacheStats),
      }),
    )

const WARMERS: Record<(typeof WARMABLE)[number], Warmable> = {
  popular_photos: 'popularPhotos',
  category_tree: 'categoryTree',
  tag_cloud: 'tagCloud',
}

async function clear({ ctx, principal, body, request }: SignedCall & Body<typeof CacheClearing>) {
  const types = [...new Set(body.types)]
  await clearCache(ctx, principal, types)
  return envelope(request, { types })
}

async function warm({ ctx, principal, body, request }: SignedCall & Body<typeof CacheWarming>) {
  const types = [...new Set(body.types)]
  await warmCache(
    ctx,
    principal,
    types.map((type) => WARMERS[type]),
  )
  return envelope(request, { types })
}

async function showStats({ ctx, request }: SignedCall) {
  return envelope(request, presentCache(await reportCache(ctx)))
}
