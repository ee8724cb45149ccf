import { and, gt, lte, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'
import { startOfDay } from './timestamps.ts'

/** Rows of a piece. */
const ROWS = 1000

/**
 * The rows of a day (YYYY-MM-DD, in UTC), the oldest first, in pieces.
 * @param columns of a table with a BRIN index on `at`
 * @param read the rows that fit, in the order of their ids
 */
export async function* rowsOfDay<R extends { id: number }>(
  db: Db,
  { id, at }: { id: PgColumn; at: PgColumn },
  day: string,
  read: (where: SQL, limit: number) => Promise<R[]>,
): AsyncGenerator<R[], void> {
  const from = startOfDay(day)
  const ofDay = sql`${at} >= ${from} and ${at} < ${from} + interval '24 hours'`
  // Without `offset 0` PostgreSQL would look for the first id from the beginning of the table.
  const [range] = await db.execute<{ first: number | null; last: number | null }>(sql`
    select min(id)::float8 as first, max(id)::float8 as last
    from (select ${id} as id from ${id.table} where ${ofDay} offset 0) of_day`)
  const { first, last } = range!
  if (first === null || last === null) return
  for (let after = first - 1; after < last; ) {
    const rows = await read(and(gt(id, after), lte(id, last), ofDay)!, ROWS)
    yield rows
    if (rows.length < ROWS) return
    after = rows.at(-1)!.id
  }
}
