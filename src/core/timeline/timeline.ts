import { and, count, isNotNull, type SQL, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { photoIndex } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { PhotoThumb } from '../photo-files/thumbs.ts'
import { visibleCounts } from '../photo-index/counts.ts'
import { type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { eventRows } from './entries.ts'
import { type EventView, MAX_RELATED, type Reader } from './rows.ts'
import { withThumbs } from './thumbs.ts'

interface MonthKey {
  year: number
  /** 1 to 12, as the year in UTC. */
  month: number
}

export interface MonthView extends MonthKey {
  /** All photos of the month that the viewer may see. */
  photoCount: number
  /** The newest first. */
  photos: PhotoThumb[]
  events: EventView[]
}

export interface Timeline {
  /** The newest first, and likewise their months. A year or month with neither photos nor events is left out. */
  years: { year: number; photoCount: number; months: MonthView[] }[]
  /** Over all years. */
  stats: TimelineStats
}

export interface TimelineStats {
  /** Photos of which it is known when they were taken. */
  totalPhotos: number
  /** The first and the last year with photos. */
  yearRange: [number, number] | undefined
  /** Of several, the newest. */
  mostActiveMonth: (MonthKey & { count: number }) | undefined
  /** The newest first. */
  photosByYear: { year: number; count: number }[]
}

/** Photos in one answer. */
const MAX_PHOTOS = 5000

/**
 * The photos and events of all years, or of one.
 * @param query.photosOfEach how many photos each month and each event shows; fewer where that would be too many together
 */
export async function readTimeline(
  ctx: Context,
  reader: Reader,
  query: { year?: number | undefined; photosOfEach: number },
): Promise<Timeline> {
  const { year } = query
  const [all, events] = await Promise.all([countMonths(ctx, reader.viewer), eventRows(ctx, year)])
  const counts = all.filter((month) => year === undefined || month.year === year)
  const each = Math.min(query.photosOfEach, Math.floor(MAX_PHOTOS / (counts.length + events.length)))
  const photoIds = await newestOf(ctx, reader.viewer, counts, each)
  const shown = await withThumbs(ctx, reader, photoIds, events, each)
  const months = new Map(
    counts.map((month): [number, MonthView] => [keyOf(month), emptyMonth(month, month.count)]),
  )
  const monthOf = (key: MonthKey): MonthView => {
    const known = months.get(keyOf(key)) ?? emptyMonth(key, 0)
    months.set(keyOf(key), known)
    return known
  }
  for (const photo of shown.photos) {
    // An owner may have taken the time away since the ids were read.
    if (photo.takenAt) monthOf(monthOfDate(photo.takenAt.toISOString())).photos.push(photo)
  }
  for (const event of shown.events) monthOf(monthOfDate(event.date)).events.push(event)
  return { years: yearsOf([...months.values()]), stats: statsOf(all) }
}

/**
 * One month with one page of its photos, and its events with all of their photos, or with fewer where these would be too many
 * together. A month without anything is empty.
 */
export async function readMonth(
  ctx: Context,
  reader: Reader,
  query: MonthKey & { page: number; limit: number; includePhotos: boolean },
): Promise<MonthView> {
  const { year, month, page, limit } = query
  const [counts, events, photoIds] = await Promise.all([
    countMonths(ctx, reader.viewer),
    eventRows(ctx, year, month),
    query.includePhotos ? pageOfMonth(ctx, reader.viewer, { year, month }, limit, (page - 1) * limit) : [],
  ])
  const known = counts.find((one) => one.year === year && one.month === month)
  const each = query.includePhotos ? Math.min(MAX_RELATED, Math.floor(MAX_PHOTOS / events.length)) : 0
  const shown = await withThumbs(ctx, reader, photoIds, events, each)
  return { year, month, photoCount: known?.count ?? 0, ...shown }
}

type MonthCount = MonthKey & { count: number }

const keyOf = ({ year, month }: MonthKey): number => year * 12 + month - 1

const emptyMonth = ({ year, month }: MonthKey, photoCount: number): MonthView => ({
  year,
  month,
  photoCount,
  photos: [],
  events: [],
})

/** @param text begins with YYYY-MM */
function monthOfDate(text: string): MonthKey {
  return { year: Number(text.slice(0, 4)), month: Number(text.slice(5, 7)) }
}

/** The months in which photos were taken that the viewer may see, the newest first. */
async function countMonths(ctx: Context, viewer: Viewer): Promise<MonthCount[]> {
  const key = sql<number>`${photoIndex.year} * 12 + ${photoIndex.month} - 1`
  const counts = await visibleCounts(ctx, viewer, { of: ['photos'], key: ['months'] }, async (where) =>
    ctx.db
      .select({ key, n: count() })
      .from(photoIndex)
      .where(and(isNotNull(photoIndex.year), where))
      .groupBy(photoIndex.year, photoIndex.month),
  )
  return [...counts]
    .sort(([a], [b]) => b - a)
    .map(([key, count]) => ({ year: Math.floor(key / 12), month: (key % 12) + 1, count }))
}

/** As the index on months has it. */
const NEWEST_FIRST = sql`${photoIndex.takenAt} desc nulls last, ${photoIndex.photoId} desc nulls last`
const inMonth = (year: SQL, month: SQL) =>
  sql`${photoIndex.year} = ${year} and ${photoIndex.month} = ${month}`

/** The ids of the newest photos of each of these months, in one query. */
async function newestOf(ctx: Context, viewer: Viewer, months: MonthKey[], each: number): Promise<number[]> {
  if (months.length === 0 || each === 0) return []
  const rows = await ctx.db.execute<{ id: number }>(sql`
    select newest.id
    from unnest(${intArray(months.map(({ year }) => year))}, ${intArray(months.map(({ month }) => month))})
      with ordinality as m(year, month, n)
    cross join lateral (
      select photo_id as id, taken_at from ${photoIndex}
      where ${and(inMonth(sql`m.year`, sql`m.month`), visibleTo(viewer))}
      order by ${NEWEST_FIRST} limit ${each}
    ) newest
    order by m.n, newest.taken_at desc, newest.id desc`)
  return rows.map(({ id }) => id)
}

async function pageOfMonth(
  ctx: Context,
  viewer: Viewer,
  { year, month }: MonthKey,
  limit: number,
  offset: number,
): Promise<number[]> {
  const rows = await ctx.db
    .select({ id: photoIndex.photoId })
    .from(photoIndex)
    .where(and(inMonth(sql`${year}`, sql`${month}`), visibleTo(viewer)))
    .orderBy(NEWEST_FIRST)
    .limit(limit)
    .offset(offset)
  return rows.map(({ id }) => id)
}

function yearsOf(months: MonthView[]): Timeline['years'] {
  const years = new Map<number, MonthView[]>()
  for (const month of months.sort((a, b) => keyOf(b) - keyOf(a))) {
    const of = years.get(month.year)
    if (of) of.push(month)
    else years.set(month.year, [month])
  }
  return [...years].map(([year, months]) => ({
    year,
    photoCount: months.reduce((sum, { photoCount }) => sum + photoCount, 0),
    months,
  }))
}

/** @param months the newest first */
function statsOf(months: MonthCount[]): TimelineStats {
  const byYear = new Map<number, number>()
  for (const { year, count } of months) byYear.set(year, (byYear.get(year) ?? 0) + count)
  const photosByYear = [...byYear].map(([year, count]) => ({ year, count }))
  const [newest, oldest] = [photosByYear[0], photosByYear.at(-1)]
  return {
    totalPhotos: months.reduce((sum, { count }) => sum + count, 0),
    yearRange: newest && oldest ? [oldest.year, newest.year] : undefined,
    mostActiveMonth: months.reduce<MonthCount | undefined>(
      (most, month) => (most && most.count >= month.count ? most : month),
      undefined,
    ),
    photosByYear,
  }
}
