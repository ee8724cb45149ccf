/** Numbers of photos and views in each of several periods, which follow each other without a gap. */
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { photoIndex, photoViews } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { countsOf } from './counts.ts'
import { type Period, QUARTER_MS, type Span } from './periods.ts'

/** Photos that were created in each period. */
export function photosCreated(ctx: Context, periods: readonly Period[]): Promise<number[]> {
  const quarter = (ms: number) => Math.ceil(ms / QUARTER_MS)
  const { start, end } = spanOf(periods)
  const bounds = arrayLiteral(periods.map((period) => quarter(period.start)))
  const within = sql`id >= ${quarter(start)} and id < ${quarter(end)}`
  return sums(
    ctx,
    periods,
    sql`select width_bucket(id, ${bounds}::int[]) as period, n from ${countsOf(['created'], within)} c`,
  )
}

/** Views that were stored in each period. */
export const viewsStored = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  sums(
    ctx,
    periods,
    sql`select ${periodOf(sql`at`, periods)} as period, count as n from ${photoViews} where ${within(sql`at`, spanOf(periods))}`,
  )

/** Photos that were taken in each period. */
export const photosTaken = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  sums(
    ctx,
    periods,
    sql`select ${periodOf(sql`taken_at`, periods)} as period, 1 as n from ${photoIndex} where ${within(sql`taken_at`, spanOf(periods))}`,
  )

/** Views that were stored in a span. */
export async function countViews(ctx: Context, span: Span): Promise<number> {
  const [row] = await ctx.db.execute<{ n: number }>(
    sql`select coalesce(sum(count), 0)::float8 as n from ${photoViews} where ${within(sql`at`, span)}`,
  )
  return row!.n
}

const seconds = (ms: number) => ms / 1000

/** The number of the period, from 1 on. The seconds are of a type for which the search among the bounds is fast. */
const periodOf = (at: SQL, periods: readonly Period[]): SQL =>
  sql`width_bucket(date_part('epoch', ${at}), ${arrayLiteral(periods.map(({ start }) => seconds(start)))}::float8[])`

export const within = (at: SQL, { start, end }: Span): SQL =>
  sql`${at} >= to_timestamp(${seconds(start)}::float8) and ${at} < to_timestamp(${seconds(end)}::float8)`

const spanOf = (periods: readonly Period[]): Span => ({ start: periods[0]!.start, end: periods.at(-1)!.end })

/** @param rows selects `period` and `n` */
async function sums(ctx: Context, periods: readonly Period[], rows: SQL): Promise<number[]> {
  const found = await ctx.db.execute<{ period: number; n: number }>(
    sql`select period, sum(n)::float8 as n from (${rows}) each group by period`,
  )
  const numbers = periods.map(() => 0)
  for (const { period, n } of found) numbers[period - 1] = n
  return numbers
}
