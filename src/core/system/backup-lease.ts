import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'

/**
 * Whether a backup may still have to read objects whose rows are gone by now. Ask it after it is certain that no committed row
 * refers to an object, and before deleting the object: a backup that begins later sees no such row either.
 */
export async function backupRuns({ db }: Pick<Context, 'db'>): Promise<boolean> {
  const [row] = await db.execute<{ runs: boolean }>(
    sql`select exists (select from backups where status = 'running' and leased_until > now()) as runs`,
  )
  return row!.runs
}

/** Thrown by a job that would delete such an object: the queue tries again. */
export class WaitsForBackup extends Error {
  override name = 'WaitsForBackup'
  constructor() {
    super('a backup is running, and no object is deleted until it ends')
  }
}
