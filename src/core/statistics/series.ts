/** Numbers of photos and views in each of several periods, which follow each other without a gap. */
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { countChanges, counts, photoIndex, photoViews } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Period, QUARTER_MS, type Span } from './periods.ts'

/** Photos that were created in each period. */
export function photosCreated(ctx: Context, periods: readonly Period[]): Promise<number[]> {
  const quarter = (ms: number) => Math.ceil(ms / QUARTER_MS)
  const bounds = arrayLiteral(boundsOf(periods).map(quarter))
  const { start, end } = spanOf(periods)
  return sums(
    ctx,
    periods,
    quarter,
    sql`select sum(n) as n from ${counts} where kind = 'created' and id >= first::int and id < next::int`,
    // The changes are few, and have no index.
    sql`union all select width_bucket(id, ${bounds}::int[]), n from ${countChanges}
      where kind = 'created' and id >= ${quarter(start)} and id < ${quarter(end)}`,
  )
}

/** Views that were stored in each period. */
export const viewsStored = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  sums(
    ctx,
    periods,
    seconds,
    sql`select sum(count) as n from ${photoViews} where at >= to_timestamp(first) and at < to_timestamp(next)`,
  )

/** Photos that were taken in each period. */
export const photosTaken = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  sums(
    ctx,
    periods,
    seconds,
    sql`select count(*) as n from ${photoIndex} where taken_at >= to_timestamp(first) and taken_at < to_timestamp(next)`,
  )

/** Views that were stored in a span. */
export async function countViews(ctx: Context, { start, end }: Span): Promise<number> {
  const [views] = await viewsStored(ctx, [{ start, end, date: '', name: '' }])
  return views!
}

const seconds = (ms: number) => ms / 1000

const spanOf = (periods: readonly Period[]): Span => ({ start: periods[0]!.start, end: periods.at(-1)!.end })

const boundsOf = (periods: readonly Period[]): number[] => periods.map(({ start }) => start)

/**
 * Each period reads its own part of an index.
 * @param bound the value of the index at a moment
 * @param sum selects the number `n` of a period from `first` to before `next`
 * @param more selects periods, numbered from 1 on, with what else is to be added
 */
async function sums(
  ctx: Context,
  periods: readonly Period[],
  bound: (ms: number) => number,
  sum: SQL,
  more: SQL = sql``,
): Promise<number[]> {
  const first = arrayLiteral(boundsOf(periods).map(bound))
  const next = arrayLiteral(periods.map(({ end }) => bound(end)))
  const found = await ctx.db.execute<{ period: number; n: number }>(sql`
    select period::int as period, sum(n)::float8 as n from (
      select period, n from unnest(${first}::float8[], ${next}::float8[]) with ordinality as p (first, next, period)
      cross join lateral (${sum}) of_period where n > 0
      ${more}
    ) each group by period`)
  const numbers = periods.map(() => 0)
  for (const { period, n } of found) numbers[period - 1] = n
  return numbers
}
