import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

const CHECK_MS = 60_000
/** Four files of the log. PostgreSQL repeats so much in a second or two when it opens a database after a crash. */
const MAX_LOG_BYTES = 64 * 1024 * 1024

/**
 * PGlite has no process that makes checkpoints: without this, the embedded database would keep its log of all changes since the
 * start, and repeat all of it after a crash.
 * @param turn in which nothing needs the log
 * @returns a function that ends it
 */
export function checkpointRegularly(
  db: Db,
  turn: (task: () => Promise<unknown>) => Promise<unknown>,
): () => void {
  const check = () => turn(() => checkpointWhenDue(db))
  // After a failure the next check tries again.
  const timer = setInterval(() => void check().catch(() => {}), CHECK_MS)
  return () => clearInterval(timer)
}

/** @returns whether it has made a checkpoint */
export async function checkpointWhenDue(db: Db): Promise<boolean> {
  const [row] = await db.execute<{ due: boolean }>(
    sql`select pg_current_wal_lsn() - redo_lsn > ${MAX_LOG_BYTES} as due from pg_control_checkpoint()`,
  )
  if (row!.due) await db.execute(sql`checkpoint`)
  return row!.due
}
