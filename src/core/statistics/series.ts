/** Numbers of photos and views in each of several periods, which follow each other without a gap. */
import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { preparedSql } from '../../db/prepared.ts'
import { countChanges, counts, photoIndex, photoViews, SUMMED_QUARTERS } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Period, QUARTER_MS, type Span } from './periods.ts'

const [LARGEST, ...SMALLER] = SUMMED_QUARTERS

/** A sum between a bound of periods and the edge of the largest sums that is next to it. */
interface Piece {
  /** Of how many quarters of an hour the sum is. */
  quarters: number
  /** Its place, in units of as many quarters of an hour since 1970. */
  unit: number
  /** Whether it comes behind the edge, or before it. */
  sign: 1 | -1
}

/**
 * Selects sums as one text, because so many rows would cost more than the sums: the largest ones from `first` up to `next`, and
 * of the smaller ones those that are named.
 * @param sumsOf selects the `unit` and the sum `n` of each that is of so many quarters of an hour and fits
 * @param more selects what else is to be added: `quarters`, `unit` and `n`
 */
const seriesOf = (
  name: string,
  sumsOf: (quarters: number, fits: (edge: (unit: SQL) => SQL, column: SQL) => SQL) => SQL,
  more?: SQL,
) =>
  preparedSql<{ sums: string | null }>(
    name,
    sql`select string_agg(quarters || ' ' || unit || ' ' || n, ',') as sums from (${sql.join(
      [
        ...SUMMED_QUARTERS.map(
          (quarters) =>
            sql`select ${sql.raw(String(quarters))} as quarters, unit, n from (${sumsOf(quarters, fitting(quarters))}) each`,
        ),
        ...(more ? [more] : []),
      ],
      sql` union all `,
    )}) sums`,
  )

/** @returns the condition that a sum is one of those that `seriesOf` selects. `edge` makes the value of the column from a unit. */
const fitting =
  (quarters: number) =>
  (edge: (unit: SQL) => SQL, column: SQL): SQL =>
    quarters === LARGEST
      ? sql`${column} >= ${edge(sql`${sql.placeholder('first')}::int`)} and ${column} < ${edge(sql`${sql.placeholder('next')}::int`)}`
      : sql`${column} = any(array(select ${edge(sql`unit`)} from unnest(${sql.placeholder(`units${quarters}`)}::int[]) unit))`

const kindOf = (quarters: number) => sql.raw(`'created_${quarters}'`)

const createdByPeriod = seriesOf(
  'photos_created',
  (quarters, fits) =>
    sql`select id as unit, n from ${counts} where kind = ${kindOf(quarters)} and ${fits((unit) => unit, sql`id`)}`,
  // The changes are few, and have no index.
  sql`select substr(kind, 9)::int, id, sum(n) from ${countChanges}
    where kind in (${sql.join(SUMMED_QUARTERS.map(kindOf), sql`, `)}) group by kind, id`,
)

/** Photos that were created in each period. */
export const photosCreated = (ctx: Context, periods: readonly Period[]): Promise<number[]> =>
  readSeries(ctx, createdByPeriod, periods)

const viewsByPeriod = seriesOf('views_stored', (quarters, fits) => {
  const seconds = sql.raw(String((quarters * QUARTER_MS) / 1000))
  const condition = fits((unit) => sql`to_timestamp(${unit} * ${seconds}::float8)`, sql`at`)
  return sql`select (date_part('epoch', at) / ${seconds})::int as unit, count as n
    from ${photoViews} where quarters = ${sql.raw(String(quarters))} and ${condition}`
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
  const edges = bounds.map((quarter) => Math.round(quarter / LARGEST))
  const pieces = bounds.map(piecesAt)
  const [row] = await series(db).execute({
    first: edges[0]!,
    next: edges.at(-1)!,
    ...Object.fromEntries(
      SMALLER.map((size) => [`units${size}`, arrayLiteral(unitsOf(pieces.flat(), size))]),
    ),
  })
  const sums = new Map<string, number>()
  for (const sum of row!.sums?.split(',') ?? []) {
    const end = sum.lastIndexOf(' ')
    const key = sum.slice(0, end)
    sums.set(key, (sums.get(key) ?? 0) + Number(sum.slice(end + 1)))
  }
  const sumAt = (quarters: number, unit: number) => sums.get(`${quarters} ${unit}`) ?? 0
  const beyondEdge = pieces.map((some) =>
    some.reduce((sum, { quarters, unit, sign }) => sum + sign * sumAt(quarters, unit), 0),
  )
  return periods.map((_, n) => {
    let sum = beyondEdge[n + 1]! - beyondEdge[n]!
    for (let unit = edges[n]!; unit < edges[n + 1]!; unit++) sum += sumAt(LARGEST, unit)
    return sum
  })
}

const unitsOf = (pieces: readonly Piece[], size: number): number[] =>
  pieces.filter(({ quarters }) => quarters === size).map(({ unit }) => unit)

/** From the nearest edge of the largest sums to a quarter of an hour: of each smaller size those that come nearest to it. */
function piecesAt(quarter: number): Piece[] {
  let at = Math.round(quarter / LARGEST) * LARGEST
  return SMALLER.flatMap((quarters) => {
    const from = at / quarters
    const to = Math.round(quarter / quarters)
    at = to * quarters
    const sign = to > from ? 1 : -1
    return Array.from({ length: Math.abs(to - from) }, (_, n) => ({
      quarters,
      unit: Math.min(from, to) + n,
      sign,
    }))
  })
}
