import { isNotNull, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { photoIndex } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Count, countsOf, readerOfCounts, sumOfCounts } from './counts.ts'
import { nowOf, type Period, periodsOf, type Span, spanSince, type Unit, yearSpan } from './periods.ts'
import { photosCreated, photosTaken } from './series.ts'
import { type Amount, amountOf } from './storage.ts'

/** By when a photo was taken, or by when it was created here. */
export const TIMES = ['taken', 'created'] as const
export type Time = (typeof TIMES)[number]

/** Cameras, and lenses. */
const MOST = 20
/** Without a year, the last ones of all time. */
const MOST_PERIODS = 400

export interface PhotoStatistics {
  photos: number
  views: number
  byStatus: Record<'published' | 'draft' | 'archived', number>
  byVisibility: Record<'public' | 'private', number>
  periods: Period[]
  /** By period. */
  counts: number[]
  /** Photos without `takenAt`, when that is the time. */
  undated: number
  cameras: { name: string; count: number }[]
  lenses: { name: string; count: number }[]
  /** Of uploaded files, also of those that no photo has yet. */
  types: ({ type: string } & Amount)[]
  sizes: ({ from: number; to: number | undefined } & Amount)[]
  orientations: Record<'landscape' | 'portrait' | 'square', number>
}

/** Lower limits of the classes of file sizes, in bytes. Migration 0014 has them too. */
export const FILE_SIZES = [0, 1, 5, 10, 25, 50].map((megabytes) => megabytes * 1_048_576)

const readPhotoCounts = readerOfCounts('photo_counts', [
  'photo',
  'undated',
  'original',
  'file_size',
  'orientation',
])

/** Numbers of all photos, and of those of a year, or of the last periods of all time. */
export async function photoStatistics(
  ctx: Context,
  query: { unit: Unit; by: Time; year: number | undefined; timezone: string },
): Promise<PhotoStatistics> {
  const { by, unit, timezone, year } = query
  await ctx.services.viewCounts.flush()
  const [span, counts, cameras, lenses] = await Promise.all([
    year === undefined ? spanOfAll(ctx, by, unit, timezone) : yearSpan(year, timezone),
    readPhotoCounts(ctx),
    mostUsed.camera(ctx.db).execute({}),
    mostUsed.lens(ctx.db).execute({}),
  ])
  const periods = periodsOf(span, unit, timezone)
  const of = (kind: string) => counts.filter((count) => count.kind === kind)
  const photos = of('photo')
  return {
    photos: sumOfCounts(photos).n,
    views: sumOfCounts(photos).total,
    ...byState(photos),
    periods,
    counts: await (by === 'taken' ? photosTaken : photosCreated)(ctx, periods),
    undated: by === 'taken' ? sumOfCounts(of('undated')).n : 0,
    cameras,
    lenses,
    types: of('original').map((count) => ({ type: count.name, ...amountOf(count) })),
    sizes: FILE_SIZES.map((from, size) => {
      const { n = 0, total = 0 } = of('file_size').find(({ id }) => id === size) ?? {}
      return { from, to: FILE_SIZES[size + 1], objects: n, bytes: total }
    }),
    orientations: { landscape: 0, portrait: 0, square: 0, ...numbersByName(of('orientation')) },
  }
}

const numbersByName = (counts: readonly Count[]) => Object.fromEntries(counts.map(({ name, n }) => [name, n]))

/** @param photos named `published public` and so on */
function byState(photos: readonly Count[]): Pick<PhotoStatistics, 'byStatus' | 'byVisibility'> {
  const number = (word: string) => sumOfCounts(photos.filter(({ name }) => name.split(' ').includes(word))).n
  return {
    byStatus: { published: number('published'), draft: number('draft'), archived: number('archived') },
    byVisibility: { public: number('public'), private: number('private') },
  }
}

async function spanOfAll(ctx: Context, by: Time, unit: Unit, timezone: string): Promise<Span> {
  const first = await firstOf(ctx, by)
  const now = nowOf(ctx)
  return spanSince(first ?? now, now, unit, MOST_PERIODS, timezone)
}

/** In ms since 1970. */
async function firstOf(ctx: Context, by: Time): Promise<number | undefined> {
  const at = { taken: photoIndex.takenAt, created: photoIndex.createdAt }[by]
  const [row] = await ctx.db.select({ at }).from(photoIndex).where(isNotNull(at)).orderBy(at).limit(1)
  return row?.at?.getTime()
}

const namesOf = (kind: 'camera' | 'lens') =>
  preparedSql<{ name: string; count: number }>(
    `photo_counts_${kind}`,
    sql`select name, n as count from ${countsOf([kind])} c order by n desc, name limit ${sql.raw(String(MOST))}`,
  )
const mostUsed = { camera: namesOf('camera'), lens: namesOf('lens') }
