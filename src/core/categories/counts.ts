import { sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { scopeOf, type Viewer, visibleTo } from '../photo-index/visibility.ts'

export interface CategoryCounts {
  /** Photos in the category or below it, each once. */
  photoCount: number
  /** Photos in the category itself. */
  directPhotoCount: number
}

const NONE: CategoryCounts = { photoCount: 0, directPhotoCount: 0 }

/** Counts the photos of every category that this viewer may see, in one statement. They are kept until a photo changes. */
export async function categoryCounts(
  ctx: Context,
  viewer: Viewer,
): Promise<(categoryId: number) => CategoryCounts> {
  const counts = await ctx.services.photoAggregates.get(`categories ${scopeOf(viewer)}`, () =>
    countAll(ctx, viewer),
  )
  return (categoryId) => counts.get(categoryId) ?? NONE
}

async function countAll(ctx: Context, viewer: Viewer): Promise<Map<number, CategoryCounts>> {
  const rows = await ctx.db
    .select({
      id: sql<number>`category.id`,
      photoCount: sql<number>`count(*)::int`,
      directPhotoCount: sql<number>`(count(*) filter (where category.id = any(${photoIndex.categoryIds})))::int`,
    })
    .from(photoIndex)
    .innerJoin(sql`unnest(${photoIndex.categoryTree}) as category(id)`, sql`true`)
    .where(visibleTo(viewer))
    .groupBy(sql`category.id`)
  return new Map(rows.map(({ id, ...counts }) => [id, counts]))
}
