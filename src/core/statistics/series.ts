/** Numbers of photos and views in each of several periods, which follow each other without a gap. */
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { preparedSql } from '../../db/prepared.ts'
import { countChanges, counts, photoIndex, photoViews, SUMMED_QUARTERS } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Period, QUARTER_MS, type Span } from './periods.ts'

const [LARGEST, ...SMALLER] = SUMMED_QUARTERS

/** What stands between a bound of periods and the edge of the largest sum that is next to it. */
interface Piece {
  slot: number
  /** Of how many quarters of an hour each of its sums is. */
  quarters: number
  /** In units of as many quarters of an hour since 1970. */
  first: number
  next: number
  /** Whether it comes behind the edge, or before it. */
  sign: 1 | -1
}

/**
 * Selects sums of `n` by slot as one text, because so many rows would cost more than their sums: slot 0 and the following ones are
 * periods, those before are bounds (`slotOf`). It reads the largest sums in one go, and each piece from its own part of an index.
 * @param large selects the largest sums from the first of the `edges` of `given` on to the last: the `edge` of each, and `n`
 * @param piece selects the `n` of each sum in a piece `p`
 * @param more selects what else is to be added: its `quarter`, and `n`
 */
const seriesOf = (name: string, { large, piece, more }: { large: SQL; piece: SQL; more?: SQL }) =>
  preparedSql<{ sums: string | null }>(
    name,
    sql`
    with given as materialized (
      select ${sql.placeholder('edges')}::int[] as edges, ${sql.placeholder('bounds')}::int[] as bounds
    )
    select string_agg(slot || ' ' || n, ',') as sums from (
      select slot, sum(n) as n from (
        select width_bucket(edge, (select edges from given)) - 1 as slot, n::float8 from (${large}) large
        union all
        select p.slot, p.sign * n from unnest(${sql.placeholder('slot')}::int[], ${sql.placeholder('quarters')}::int[],
          ${sql.placeholder('first')}::int[], ${sql.placeholder('next')}::int[], ${sql.placeholder('sign')}::float8[]
        ) as p (slot, quarters, first, next, sign) cross join lateral (${piece} offset 0) of_piece
        ${more ? sql`union all select width_bucket(quarter, (select bounds from given)) - 1, n from (${more}) more` : sql``}
      ) each group by slot
    ) by_slot`,
  )

const createdByPeriod = seriesOf('photos_created', {
  large: sql`select id as edge, n from ${counts}, given
    where kind = ${sql.raw(`'created_${LARGEST}'`)} and id >= edges[1] and id < edges[cardinality(edges)]`,
  piece: sql`select n from ${counts} where kind = 'created_' || p.quarters and id >= p.first and id < p.next`,
  // The changes are few, and have no index.
  more: sql`select id as quarter, n from ${countChanges}, given
    where kind = 'created_1' and id >= bounds[1] and id < bounds[cardinality(bounds)]`,
})

/** Photos that were created in each period. */
export const photosCreated = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  readSeries(ctx, createdByPeriod, periods)

const seconds = (edge: SQL) => sql`to_timestamp(${edge} * ${sql.raw(String(QUARTER_MS / 1000))}::float8)`
const LARGEST_QUARTERS = sql.raw(String(LARGEST))

const viewsByPeriod = seriesOf('views_stored', {
  large: sql`select (extract(epoch from at) / ${sql.raw(String((LARGEST * QUARTER_MS) / 1000))})::int as edge, count as n
    from ${photoViews}, given where quarters = ${LARGEST_QUARTERS}
    and at >= ${seconds(sql`edges[1] * ${LARGEST_QUARTERS}`)} and at < ${seconds(sql`edges[cardinality(edges)] * ${LARGEST_QUARTERS}`)}`,
  piece: sql`select count as n from ${photoViews} v
    where v.quarters = p.quarters and at >= ${seconds(sql`p.first * p.quarters`)} and at < ${seconds(sql`p.next * p.quarters`)}`,
})

/** Views that were stored in each period. */
export const viewsStored = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  readSeries(ctx, viewsByPeriod, periods)

/** Views that were stored in a span. */
export async function countViews(ctx: Context, { start, end }: Span): Promise<number> {
  const [views] = await viewsStored(ctx, [{ start, end, date: '', name: '' }])
  return views!
}

const takenByPeriod = preparedSql<{ period: number; n: number }>(
  'photos_taken',
  sql`
  select period::int, (
    select count(*) from ${photoIndex} where taken_at >= to_timestamp(first) and taken_at < to_timestamp(next)
  )::int as n
  from unnest(${sql.placeholder('first')}::float8[], ${sql.placeholder('next')}::float8[]) with ordinality as p (first, next, period)
  order by period`,
)

/** Photos that were taken in each period. */
export async function photosTaken(ctx: Context, periods: readonly Period[]): Promise<number[]> {
  const rows = await takenByPeriod(ctx.db).execute({
    first: arrayLiteral(periods.map(({ start }) => start / 1000)),
    next: arrayLiteral(periods.map(({ end }) => end / 1000)),
  })
  return rows.map(({ n }) => n)
}

async function readSeries(
  { db }: Context,
  series: typeof createdByPeriod,
  periods: readonly Period[],
): Promise<number[]> {
  const bounds = [...periods.map(({ start }) => start), periods.at(-1)!.end].map((ms) =>
    Math.ceil(ms / QUARTER_MS),
  )
  const pieces = bounds.flatMap(piecesAt)
  const all = (field: keyof Piece) => arrayLiteral(pieces.map((piece) => piece[field]))
  const [row] = await series(db).execute({
    edges: arrayLiteral(bounds.map((quarter) => Math.round(quarter / LARGEST))),
    bounds: arrayLiteral(bounds),
    slot: all('slot'),
    quarters: all('quarters'),
    first: all('first'),
    next: all('next'),
    sign: all('sign'),
  })
  const sums = new Map(row!.sums?.split(',').map((sum) => sum.split(' ').map(Number) as [number, number]))
  const at = (slot: number) => sums.get(slot) ?? 0
  // While changes of counts are being added to them, what one sum lacks may be in another one already.
  return periods.map((_, n) => Math.max(0, at(n) + at(slotOf(n + 1)) - at(slotOf(n))))
}

const slotOf = (bound: number): number => -1 - bound

/** From the nearest edge of the largest sums to a quarter of an hour: as many sums of each size as come nearest to it. */
function piecesAt(quarter: number, bound: number): Piece[] {
  let at = Math.round(quarter / LARGEST) * LARGEST
  return SMALLER.flatMap((quarters) => {
    const from = at / quarters
    const to = Math.round(quarter / quarters)
    at = to * quarters
    if (from === to) return []
    return {
      slot: slotOf(bound),
      quarters,
      first: Math.min(from, to),
      next: Math.max(from, to),
      sign: to > from ? 1 : -1,
    }
  })
}
