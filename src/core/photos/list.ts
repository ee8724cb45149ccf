import { and, eq, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { storable } from '../../util/storable.ts'
import type { Context } from '../context.ts'
import { cached } from '../generations/cached.ts'
import { inCategory } from '../photo-index/category-tree.ts'
import { matchPhotos } from '../photo-index/match.ts'
import { scopeOf, type Viewer, visibleParts, visibleTo } from '../photo-index/visibility.ts'
import { tagKey } from '../tags/names.ts'
import { sees } from './read.ts'
import type { PhotoStatus } from './rows.ts'
import { type PhotoView, SHOWN_OF_PHOTOS, viewPhotos } from './view.ts'

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

/** As a client asks that names nothing. */
export const FIRST_PAGE = { page: 1, limit: 20, sortBy: 'createdAt', sortOrder: 'desc' } as const

export interface PhotoPage {
  photos: readonly PhotoView[]
  /** Of all pages. */
  total: number
}

/** Below this number of photos it is cheaper to sort them than to walk an index in the order of the list. */
const FEW = 1000

/**
 * One page of the photos that this viewer may see. Photos without `takenAt` come last when it is the order.
 */
export function listPhotos(ctx: Context, viewer: Viewer, query: PhotoQuery): Promise<PhotoPage> {
  const { page, limit, sortBy, sortOrder } = query
  const key = ['page', scopeOf(viewer), page, limit, sortBy, sortOrder, ...keyOf(query)] as const
  return cached(ctx, { of: SHOWN_OF_PHOTOS, key }, () => findPage(ctx, viewer, query))
}

/** A client may name the filters in any order. */
const keyOf = ({ status, category, tag, search, year, month }: PhotoFilter) => [
  status,
  category,
  tag,
  search,
  year,
  month,
]

async function findPage(
  ctx: Context,
  viewer: Viewer,
  { page, limit, sortBy, sortOrder, ...filter }: PhotoQuery,
): Promise<PhotoPage> {
  const total = await countPhotos(ctx, viewer, filter)
  const offset = (page - 1) * limit
  if (offset >= total) return { photos: [], total }
  const where = and(visibleTo(viewer), ...conditions(filter))
  const ids = await readPage(ctx, { where, few: total <= FEW, sortBy, sortOrder, limit, offset })
  // A photo may have been hidden since the ids were read.
  const photos = (await viewPhotos(ctx, ids)).filter((photo) => sees(viewer, photo))
  return { photos, total }
}

async function readPage(
  ctx: Context,
  { where = sql`true`, few, sortBy, sortOrder, limit, offset }: PageOf,
): Promise<number[]> {
  const direction = sql.raw(sortOrder)
  const key = SORT_KEYS[sortBy]
  // "is true" is no condition of an index, so that PostgreSQL walks the index of the order: with another index it would gather
  // and sort all photos. The limit is not a parameter, because PostgreSQL would plan for a tenth of all photos.
  const rows = await ctx.db.execute<{ id: number }>(sql`
    with found as ${sql.raw(few ? 'materialized' : '')} (
      select photo_id as id, ${key} as key from photo_index where ${few ? where : sql`(${where}) is true`}
    )
    select id from found order by ${orderBy(sortBy, direction)}
    limit ${sql.raw(String(limit))} ${offset > 0 ? sql`offset ${offset}` : sql``}`)
  return rows.map(({ id }) => id)
}

interface PageOf extends Pick<PhotoQuery, 'sortBy' | 'sortOrder' | 'limit'> {
  where: SQL | undefined
  few: boolean
  offset: number
}

/** How many photos this viewer may see. */
export async function countPhotos(ctx: Context, viewer: Viewer, filter: PhotoFilter): Promise<number> {
  const parts = await Promise.all(
    visibleParts(viewer).map(({ scope, where }) =>
      cached(ctx, { of: SHOWN_OF_PHOTOS, key: ['count', scope, ...keyOf(filter)] }, async () =>
        ctx.db.$count(photoIndex, and(where, ...conditions(filter))),
      ),
    ),
  )
  return parts.reduce((sum, photos) => sum + photos, 0)
}

const SORT_KEYS: Record<PhotoSort, SQL> = {
  createdAt: sql`${photoIndex.createdAt}`,
  takenAt: sql`${photoIndex.takenAt}`,
  title: sql`lower(${photoIndex.title}) collate "C"`,
}

/** The orders of the indexes of `photo_index`. */
const orderBy = (sortBy: PhotoSort, direction: SQL): SQL =>
  sortBy === 'takenAt'
    ? sql`key ${direction} nulls last, id ${direction} nulls last`
    : sql`key ${direction}, id ${direction}`

function conditions({ status, category, tag, search, year, month }: PhotoFilter): (SQL | undefined)[] {
  return [
    status && eq(photoIndex.status, status),
    category === undefined ? undefined : inCategory(category),
    tag === undefined
      ? undefined
      : sql`${photoIndex.tagIds} && array(select id from tags where name_key = ${tagKey(storable(tag))} or slug = ${storable(tag)})`,
    search?.trim() ? matchPhotos(storable(search)) : undefined,
    year === undefined ? undefined : eq(photoIndex.year, year),
    month === undefined ? undefined : eq(photoIndex.month, month),
  ]
}
