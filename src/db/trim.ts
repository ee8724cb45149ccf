import { getTableName, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'
import { isLocked } from './errors.ts'

const BATCH = 5000
const LOCK_MS = '300'

/**
 * Deletes any number of rows, in statements that hold no lock for long and stay below their time limit. Rows that another
 * transaction holds stay until the next call.
 * @param rows selects the `ctid`s of the rows to delete, without a limit
 * @param name of the table in `rows`
 * @returns how many
 */
export async function trim(db: Db, table: PgTable, rows: SQL, name = getTableName(table)): Promise<number> {
  const batch = sql`${rows} limit ${BATCH} for update of ${sql.identifier(name)} skip locked`
  for (let total = 0; ; ) {
    const count = await deleteBatch(db, sql`delete from ${table} where ctid = any(array(${batch}))`)
    total += count
    if (count < BATCH) return total
  }
}

/** Rows that refer to a deleted row are deleted with it, and other transactions may hold those too. */
async function deleteBatch(db: Db, statement: SQL): Promise<number> {
  try {
    const result = await db.transaction(async (tx) => {
      await tx.execute(sql`select set_config('lock_timeout', ${LOCK_MS}, true)`)
      return tx.execute(statement)
    })
    return (result as unknown as { count: number }).count
  } catch (error) {
    if (isLocked(error)) return 0
    throw error
  }
}
