import { type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { visibleCounts } from '../photo-index/counts.ts'
import type { Viewer } from '../photo-index/visibility.ts'

export interface CategoryCounts {
  /** Photos in the category or below it, each once. */
  photoCount: number
  /** Photos in the category itself. */
  directPhotoCount: number
}

/** The numbers of photos, in every category, that this viewer may see. */
export async function categoryCounts(
  ctx: Context,
  viewer: Viewer,
): Promise<(categoryId: number) => CategoryCounts> {
  const [all, direct] = await Promise.all([
    visibleCounts(ctx, viewer, 'categories', (where) => countBy(ctx, sql`${photoIndex.categoryTree}`, where)),
    visibleCounts(ctx, viewer, 'categories_direct', (where) =>
      countBy(ctx, sql`${photoIndex.categoryIds}`, where),
    ),
  ])
  return (id) => ({ photoCount: all.get(id) ?? 0, directPhotoCount: direct.get(id) ?? 0 })
}

/** Photos have few combinations of categories. Counting those first takes a third of the time. */
const countBy = (ctx: Context, ids: SQL, where: SQL = sql`true`) =>
  ctx.db.execute<{ key: number; n: number }>(sql`
    with combinations as materialized (
      select ${ids} as ids, count(*) as photos from ${photoIndex} where ${where} group by ids
    )
    select key, sum(photos)::int as n from combinations, unnest(ids) as key group by key`)
