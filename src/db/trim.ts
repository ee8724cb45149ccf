import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'

const BATCH = 5000

/**
 * Deletes rows, however many there are: in statements that hold no lock for long and stay below their time limit.
 * @param rows selects the `ctid`s of what shall go, without a limit
 * @returns how many
 */
export async function trim(db: Db, table: PgTable, rows: SQL): Promise<number> {
  for (let total = 0; ; ) {
    const result = await db.execute(
      sql`delete from ${table} where ctid = any(array(${rows} limit ${sql.raw(String(BATCH))}))`,
    )
    const { count } = result as unknown as { count: number }
    total += count
    if (count < BATCH) return total
  }
}
