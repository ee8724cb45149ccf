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
  const counts = await visibleCounts(ctx, viewer, 'categories', (where) => countCategories(ctx, where))
  return (id) => ({
    photoCount: counts.get(`in ${id}`) ?? 0,
    directPhotoCount: counts.get(`direct ${id}`) ?? 0,
  })
}

/** Photos have few combinations of categories, so those are counted first. */
const countCategories = (ctx: Context, where: SQL = sql`true`) =>
  ctx.db.execute<{ key: string; n: number }>(sql`
    with combinations as materialized (
      select ${photoIndex.categoryIds} as ids, count(*) as photos from ${photoIndex} where ${where} group by ids
    ), lines as materialized (
      select id, string_to_array(path, '/')::int[] as ids from categories
    )
    select 'direct ' || id as key, sum(photos)::int as n from combinations, unnest(ids) as id group by id
    union all
    select 'in ' || id, sum(photos)::int from (
      select distinct combinations.ids, photos, above as id
      from combinations, unnest(combinations.ids) as direct join lines on lines.id = direct, unnest(lines.ids) as above
    ) each group by id`)
