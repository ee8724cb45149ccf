import type { Actor } from '../accounts/principals.ts'
import { auditAlone } from '../audit/audit.ts'
import { listCategories } from '../categories/read.ts'
import type { Context } from '../context.ts'
import { FIRST_PAGE, listPhotos } from '../photos/list.ts'
import { siteSettings } from '../system/site-settings.ts'
import { FIRST_CLOUD, tagCloud } from '../tags/lists.ts'

/** Pages of the photo list, as visitors see it. */
const PAGES = 3

/** What visitors of the site ask for first, and how it is computed. */
const WARMERS = {
  popularPhotos: async (ctx: Context) => {
    const limit = (await siteSettings(ctx)).display.photosPerPage
    for (let page = 1; page <= PAGES; page++) await listPhotos(ctx, undefined, { ...FIRST_PAGE, limit, page })
  },
  categoryTree: (ctx: Context) => listCategories(ctx, undefined, ''),
  tagCloud: (ctx: Context) => tagCloud(ctx, undefined, FIRST_CLOUD),
}
export type Warmable = keyof typeof WARMERS

/** Computes what visitors ask for first, unless it is cached already. */
export async function warmCache(ctx: Context, by: Actor, types: readonly Warmable[]): Promise<void> {
  for (const type of types) await WARMERS[type](ctx)
  await auditAlone(ctx, by, { action: 'cache.warmed', details: { types: [...types] } })
}
