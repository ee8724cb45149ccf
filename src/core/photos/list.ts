import { and, arrayContains, eq, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { storable } from '../../util/storable.ts'
import type { Context } from '../context.ts'
import { matchPhotos } from '../photo-index/match.ts'
import { scopeOf, type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { tagKey } from '../tags/names.ts'
import type { PhotoStatus } from './rows.ts'
import { type PhotoView, readView, type ViewRow, viewColumns } from './view.ts'

export const PHOTO_SORTS = ['createdAt', 'takenAt', 'title'] as const
export type PhotoSort = (typeof PHOTO_SORTS)[number]

export interface PhotoFilter {
  status?: PhotoStatus | undefined
  /** A category: photos in the categories below it count too. */
  category?: number | undefined
  /** Name or slug of a tag. */
  tag?: string | undefined
  /** The query of a search: docs/contracts/portfolio.md, "Search". */
  search?: string | undefined
  /** Year and month in which the photo was taken, in UTC. */
  year?: number | undefined
  month?: number | undefined
}

export interface PhotoQuery extends PhotoFilter {
  page: number
  limit: number
  sortBy: PhotoSort
  sortOrder: 'asc' | 'desc'
}

/** Below this number of photos it is cheaper to sort them than to walk an index in the order of the list. */
const FEW = 1000

/** One page of the photos that this viewer may see. Photos without `takenAt` come last when it is the order. */
export async function listPhotos(
  ctx: Context,
  viewer: Viewer,
  { page, limit, sortBy, sortOrder, ...filter }: PhotoQuery,
): Promise<{ photos: PhotoView[]; total: number }> {
  const where = and(visibleTo(viewer), ...conditions(filter))
  const total = await countPhotos(ctx, viewer, filter)
  const offset = (page - 1) * limit
  if (offset >= total) return { photos: [], total }
  const direction = sql.raw(sortOrder)
  const key = SORT_KEYS[sortBy]
  // Not a condition of an index then, so that PostgreSQL walks the index of the order: it would gather and sort all photos.
  const found = total > FEW ? where && sql`(${where}) is true` : where
  // The limit is not a parameter, because PostgreSQL would plan for a tenth of all photos, each time anew.
  const rows = (await ctx.db.execute(sql`
    with found as ${sql.raw(total > FEW ? '' : 'materialized')} (
      select photo_id, ${key} as key from photo_index where ${found ?? sql`true`}
    ), page as (
      select photo_id, key from found order by ${order(sql`key`, sortBy, direction)}
      limit ${sql.raw(String(limit))} ${offset > 0 ? sql`offset ${offset}` : sql``}
    )
    select ${viewColumns} from page join photos p on p.id = page.photo_id join photo_files f on f.id = p.file_id
    order by ${order(sql`page.key`, sortBy, direction)}`)) as unknown as ViewRow[]
  return { photos: rows.map(readView), total }
}

/** How many photos this viewer may see. It is kept until a photo changes. */
export const countPhotos = (ctx: Context, viewer: Viewer, filter: PhotoFilter): Promise<number> =>
  ctx.services.photoAggregates.get(`photos ${scopeOf(viewer)} ${JSON.stringify(filter)}`, async () => {
    const where = and(visibleTo(viewer), ...conditions(filter))
    return ctx.db.$count(photoIndex, where)
  })

const SORT_KEYS: Record<PhotoSort, SQL> = {
  createdAt: sql`${photoIndex.createdAt}`,
  takenAt: sql`${photoIndex.takenAt}`,
  title: sql`lower(${photoIndex.title}) collate "C"`,
}

/** The orders of the indexes of `photo_index`. */
const order = (key: SQL, sortBy: PhotoSort, direction: SQL): SQL =>
  sortBy === 'takenAt'
    ? sql`${key} ${direction} nulls last, photo_id ${direction} nulls last`
    : sql`${key} ${direction}, photo_id ${direction}`

function conditions({ status, category, tag, search, year, month }: PhotoFilter): (SQL | undefined)[] {
  return [
    status && eq(photoIndex.status, status),
    category === undefined ? undefined : arrayContains(photoIndex.categoryTree, [category]),
    tag === undefined
      ? undefined
      : sql`${photoIndex.tagIds} && array(select id from tags where name_key = ${tagKey(storable(tag))} or slug = ${storable(tag)})`,
    search?.trim() ? matchPhotos(storable(search)) : undefined,
    year === undefined ? undefined : eq(photoIndex.year, year),
    month === undefined ? undefined : eq(photoIndex.month, month),
  ]
}
