/** What most photos have, and the photos that most people have viewed. */
import { desc, gt, sql } from 'drizzle-orm'
import { prepared, preparedSql } from '../../db/prepared.ts'
import { photos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type PhotoThumb, photoThumbs } from '../photo-files/thumbs.ts'
import { countInTree } from '../photo-index/category-tree.ts'
import type { Viewer } from '../photo-index/visibility.ts'
import { countsOf } from './counts.ts'

const MOST = 10

export interface Named {
  id: number
  name: string
  slug: string
  /** Photos. */
  count: number
}

export interface PopularCategory extends Named {
  /** Of the photos that are in any category, with one decimal. */
  percentage: number
}

const categoriesOfMost = preparedSql<Named & { all: number }>(
  'popular_categories',
  sql`
    with combinations as materialized (
      select string_to_array(name, ',')::int[] as ids, n as photos from ${countsOf(['combination'], sql`name <> ''`)} c
    ), in_tree as (${countInTree(sql`combinations`)})
    select c.id, c.name, c.slug, in_tree.count, (select sum(photos)::float8 from combinations) as "all"
    from in_tree join categories c on c.id = in_tree.id::int order by in_tree.count desc, c.id limit ${sql.raw(String(MOST))}`,
)

/** The categories with the most photos in them or below them. */
export async function popularCategories(ctx: Context): Promise<PopularCategory[]> {
  const rows = await categoriesOfMost(ctx.db).execute({})
  return rows.map(({ all, ...category }) => ({
    ...category,
    percentage: Math.round((category.count / all) * 1000) / 10,
  }))
}

const tagsOfMost = preparedSql<Named>(
  'popular_tags',
  sql`
    with used as materialized (select id, n from ${countsOf(['tag'])} c)
    select tags.id, tags.name, tags.slug, used.n as count
    from used join tags on tags.id = used.id order by used.n desc, used.id limit ${sql.raw(String(MOST))}`,
)

/** The tags of the most photos. */
export const popularTags = ({ db }: Context): Promise<Named[]> => tagsOfMost(db).execute({})

export interface PopularPhoto extends Pick<PhotoThumb, 'id' | 'title' | 'thumbUrl'> {
  viewCount: number
  likeCount: number
}

const mostViewed = prepared((db) =>
  db
    .select({ id: photos.id, viewCount: photos.viewCount, likeCount: photos.likeCount })
    .from(photos)
    .where(gt(photos.viewCount, sql.raw('0')))
    .orderBy(desc(photos.viewCount), desc(photos.id))
    .limit(MOST)
    .prepare('popular_photos'),
)

/** The photos with the most views, of those that have any. */
export async function popularPhotos(
  ctx: Context,
  { viewer, origin }: { viewer: Viewer; origin: string },
): Promise<PopularPhoto[]> {
  const rows = await mostViewed(ctx.db).execute()
  const thumbs = await photoThumbs(
    ctx,
    origin,
    viewer,
    rows.map(({ id }) => id),
  )
  return rows.flatMap(({ id, ...numbers }) => {
    const thumb = thumbs.get(id)
    return thumb ? { id, title: thumb.title, thumbUrl: thumb.thumbUrl, ...numbers } : []
  })
}
