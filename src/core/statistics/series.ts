/** Numbers of photos and views in each of several periods, which follow each other without a gap. */
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { countChanges, counts, photoIndex, photoViews, SUMMED_QUARTERS } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Period, QUARTER_MS, type Span } from './periods.ts'

/** Photos that were created in each period. */
export function photosCreated(ctx: Context, periods: readonly Period[]): Promise<number[]> {
  const bounds = arrayLiteral(periods.map(({ start }) => quarterOf(start)))
  const { start, end } = spanOf(periods)
  return sums(
    ctx,
    periods,
    piecesOf(periods),
    sql`select sum(n) as n from ${counts} where kind = 'created_' || quarters and id >= first::int and id < next::int`,
    // The changes are few, and have no index.
    sql`union all select width_bucket(id, ${bounds}::int[]), n from ${countChanges}
      where kind = 'created_1' and id >= ${quarterOf(start)} and id < ${quarterOf(end)}`,
  )
}

/** Views that were stored in each period. */
export function viewsStored(ctx: Context, periods: readonly Period[]): Promise<number[]> {
  const at = (n: 'first' | 'next') => sql.raw(`to_timestamp(p.${n} * p.quarters * ${QUARTER_MS / 1000})`)
  return sums(
    ctx,
    periods,
    piecesOf(periods),
    sql`select sum(count) as n from ${photoViews} v where v.quarters = p.quarters and at >= ${at('first')} and at < ${at('next')}`,
  )
}

/** Photos that were taken in each period. */
export const photosTaken = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  sums(
    ctx,
    periods,
    periods.map(({ start, end }, period) => ({ period, quarters: 0, first: start / 1000, next: end / 1000 })),
    sql`select count(*) as n from ${photoIndex} where taken_at >= to_timestamp(first) and taken_at < to_timestamp(next)`,
  )

/** Views that were stored in a span. */
export async function countViews(ctx: Context, { start, end }: Span): Promise<number> {
  const [views] = await viewsStored(ctx, [{ start, end, date: '', name: '' }])
  return views!
}

const quarterOf = (ms: number): number => Math.ceil(ms / QUARTER_MS)

const spanOf = (periods: readonly Period[]): Span => ({ start: periods[0]!.start, end: periods.at(-1)!.end })

/** A part of a period. */
interface Piece {
  period: number
  /** Of how many quarters of an hour each of its sums is. */
  quarters: number
  /** In units of as many quarters of an hour since 1970. */
  first: number
  next: number
}

const piecesOf = (periods: readonly Period[]): Piece[] =>
  periods.flatMap(({ start, end }, period) =>
    piecesBetween(quarterOf(start), quarterOf(end), SUMMED_QUARTERS).map((piece) => ({ period, ...piece })),
  )

/** The largest sums that fit between two quarters of an hour, with smaller ones before and behind them. */
function piecesBetween(
  first: number,
  next: number,
  [size, ...smaller]: readonly number[],
): Omit<Piece, 'period'>[] {
  if (size === undefined || first >= next) return []
  const inner = { quarters: size, first: Math.ceil(first / size), next: Math.floor(next / size) }
  if (inner.first >= inner.next) return piecesBetween(first, next, smaller)
  return [
    ...piecesBetween(first, inner.first * size, smaller),
    inner,
    ...piecesBetween(inner.next * size, next, smaller),
  ]
}

/**
 * Each piece reads its own part of an index.
 * @param sum selects the number `n` of a piece `p`
 * @param more selects periods, numbered from 1 on, with what else is to be added
 */
async function sums(
  ctx: Context,
  periods: readonly Period[],
  pieces: readonly Piece[],
  sum: SQL,
  more: SQL = sql``,
): Promise<number[]> {
  const all = (field: keyof Piece) => arrayLiteral(pieces.map((piece) => piece[field]))
  const found = await ctx.db.execute<{ period: number; n: number }>(sql`
    select period, sum(n)::float8 as n from (
      select period + 1 as period, n
      from unnest(${all('period')}::int[], ${all('quarters')}::int[], ${all('first')}::float8[], ${all('next')}::float8[]) as p (period, quarters, first, next)
      cross join lateral (${sum}) of_piece where n > 0
      ${more}
    ) each group by period`)
  const numbers = periods.map(() => 0)
  for (const { period, n } of found) numbers[period - 1] = n
  return numbers
}
