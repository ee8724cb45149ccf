import { type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { CachedAnswer } from '../generations/cached.ts'
import { countInTree } from '../photo-index/category-tree.ts'
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
  const counts = await visibleCounts(ctx, viewer, COUNTS, (where) => countCategories(ctx, where))
  return (id) => ({
    photoCount: counts.get(`in ${id}`) ?? 0,
    directPhotoCount: counts.get(`direct ${id}`) ?? 0,
  })
}

const COUNTS: CachedAnswer = { of: ['categories', 'photos'], key: ['counts'] }

/** Photos have few combinations of categories, so those are counted first. */
const countCategories = async (ctx: Context, where: SQL = sql`true`) =>
  ctx.db.execute<{ key: string; n: number }>(sql`
    with combinations as materialized (
      select ${photoIndex.categoryIds} as ids, count(*) as photos from ${photoIndex} where ${where} group by ids
    )
    select 'direct ' || id as key, sum(photos)::int as n from combinations, unnest(ids) as id group by id
    union all
    select 'in ' || id, count from (${countInTree(sql`combinations`)}) in_tree`)
