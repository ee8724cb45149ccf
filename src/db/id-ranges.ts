import { type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'

/** Rows of one statement, which may take ten seconds. */
const STEP = 10_000

/**
 * Conditions that divide the rows of a table by their ids, for a change of rows whose number nothing limits: each condition
 * is for one statement.
 */
export async function idRanges(db: Db, table: PgTable & { id: AnyPgColumn }, which: SQL): Promise<SQL[]> {
  const ranges = await db.execute<{ first: number; last: number }>(sql`
    select min(id) as first, max(id) as last from (
      select ${table.id} as id, (row_number() over (order by ${table.id}) - 1) / ${sql.raw(String(STEP))} as step
      from ${table} where ${which}
    ) rows group by step order by step`)
  return ranges.map(({ first, last }) => sql`${which} and ${table.id} between ${first} and ${last}`)
}
