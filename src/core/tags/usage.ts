/** How much the photos that a viewer may see use each tag, by tag id. A tag that they do not use is absent. */
import { and, count, eq, gt, sql } from 'drizzle-orm'
import { photoIndex, photoTags } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { visibleCounts } from '../photo-index/counts.ts'
import type { Viewer } from '../photo-index/visibility.ts'

/** Of the trend scores outside of "trending". */
export const TREND_DAYS = 30

/** How long trend scores are used, which fall with the time. */
export const TRENDS_MS = 60_000

/** The number of photos of each tag. */
export const tagUsage = (ctx: Context, viewer: Viewer) =>
  visibleCounts(ctx, viewer, { of: ['tags', 'photos'], key: ['usage'] }, async (where) =>
    ctx.db
      .select({ key: sql<number>`used.id`, n: count() })
      .from(photoIndex)
      .innerJoin(sql`unnest(${photoIndex.tagIds}) as used(id)`, sql`true`)
      .where(where)
      .groupBy(sql`used.id`),
  )

/**
 * The trend score of each tag: every use within the last `days` counts 1 when it is new, and half as much after each
 * quarter of that time.
 */
export const tagTrends = (ctx: Context, viewer: Viewer, days: number) =>
  visibleCounts(
    ctx,
    viewer,
    { of: ['tags', 'photos'], key: ['trends', days], ttlMs: TRENDS_MS },
    async (where) => {
      const since = sql`now() - make_interval(days => ${days}::int)`
      const quarters = sql`extract(epoch from now() - ${photoTags.createdAt}) / ${(days * 86_400) / 4}::float8`
      return ctx.db
        .select({ key: photoTags.tagId, n: sql<number>`sum(0.5::float8 ^ (${quarters})::float8)` })
        .from(photoTags)
        .innerJoin(photoIndex, eq(photoIndex.photoId, photoTags.photoId))
        .where(and(gt(photoTags.createdAt, since), where))
        .groupBy(photoTags.tagId)
    },
  )
