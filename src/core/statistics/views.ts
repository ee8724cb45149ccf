import { asc, eq } from 'drizzle-orm'
import { photoViews } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { readerOfCounts, sumOfCounts } from './counts.ts'
import { nowOf, type Period, periodsOf, spanBefore, spanUntil, type Unit } from './periods.ts'
import { countViews, viewsStored } from './series.ts'

const readPhotos = readerOfCounts('view_counts', ['photo'])

export interface ViewStatistics {
  /** Of all photos, since each was created. */
  allViews: number
  /** When the server stored the first view with a time; null when there is none. */
  since: Date | null
  periods: Period[]
  /** By period. */
  counts: number[]
  /** In the time of the same length before. */
  before: number
}

/** @throws AppError VALIDATION_FAILED */
export async function viewStatistics(
  ctx: Context,
  query: { period: string; unit: Unit; timezone: string },
): Promise<ViewStatistics> {
  const { period, unit, timezone } = query
  const span = spanUntil(nowOf(ctx), period, timezone)
  const periods = periodsOf(span, unit, timezone)
  await ctx.services.viewCounts.flush()
  const [photos, counts, before, first] = await Promise.all([
    readPhotos(ctx),
    viewsStored(ctx, periods),
    countViews(ctx, spanBefore(span, timezone)),
    firstViews(ctx),
  ])
  return {
    allViews: sumOfCounts(photos).total,
    since: first,
    periods,
    counts,
    before,
  }
}

/** The beginning of the first quarter of an hour that has views. */
async function firstViews(ctx: Context): Promise<Date | null> {
  const [first] = await ctx.db
    .select({ at: photoViews.at })
    .from(photoViews)
    .where(eq(photoViews.quarters, 1))
    .orderBy(asc(photoViews.at))
    .limit(1)
  return first?.at ?? null
}
