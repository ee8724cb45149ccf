import { sql } from 'drizzle-orm'
import type { Tx } from '../../src/core/context.ts'

/** Whether a transaction of this database waits for a lock. On the embedded database none can: there is one connection. */
export async function somebodyWaits(tx: Tx): Promise<boolean> {
  await tx.db.execute(sql`select pg_stat_clear_snapshot()`)
  const waiting = await tx.db.execute(
    sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return waiting.length > 0
}
