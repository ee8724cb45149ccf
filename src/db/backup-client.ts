/** Connections of the programs that make and restore backups. They change no tables of a database that has rows. */
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { StartupError } from '../util/startup-error.ts'
import { type Db, startupError } from './client.ts'
import { BACKUP_NAME, openEmbedded, openMigrator } from './driver.ts'
import { Snapshot } from './dump.ts'
import type { EmbeddedPostgres } from './embedded.ts'
import { appliedMigrations, currentSchema } from './migrations.ts'
import { liftTimeLimits } from './tables.ts'

/** A database on one connection. */
export interface BackupDatabase {
  db: Db
  embedded: boolean
  /** Nothing else uses the database until the snapshot is closed. */
  snapshot(): Promise<Snapshot>
  /**
   * Runs a restore in one transaction. A server that starts meanwhile waits, as it does for migrations.
   * @throws StartupError when a server uses the database
   */
  restore(change: (db: Db) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export const connectPostgres = (url: string): Promise<BackupDatabase> =>
  connected(openMigrator(url, BACKUP_NAME), false)

export const connectEmbedded = (embedded: EmbeddedPostgres): Promise<BackupDatabase> =>
  connected(openEmbedded(embedded), true)

async function connected(client: postgres.Sql, embedded: boolean): Promise<BackupDatabase> {
  try {
    await client`select 1`.simple()
  } catch (error) {
    await client.end({ timeout: 0 })
    throw startupError(error, embedded ? 'embedded database' : 'database in DATABASE_URL')
  }
  return {
    db: drizzle(client),
    embedded,
    snapshot: () => Snapshot.open(client),
    restore: (change) =>
      drizzle(client).transaction(async (db) => {
        await liftTimeLimits(db)
        if (!embedded) await assertAlone(db)
        await change(db)
      }),
    close: () => client.end({ timeout: 1 }),
  }
}

async function assertAlone(db: Db): Promise<void> {
  const [row] = await db.execute<{ alone: boolean }>(sql`
    select pg_try_advisory_xact_lock(hashtext('roost:migrate')) and not exists (
      select from pg_stat_activity
      where datname = current_database() and application_name like 'roost %' and application_name <> ${BACKUP_NAME}
    ) as alone`)
  if (!row!.alone)
    throw new StartupError(
      'A server uses the database in DATABASE_URL, or another restore does. Stop it first. A pooler may keep connections of a server that has stopped: then close these.',
    )
}

/** @throws StartupError unless the tables are those of this version, because a backup has to know which objects rows refer to */
export async function assertCurrent(db: Db): Promise<void> {
  const { number, name } = currentSchema()
  const applied = await appliedMigrations(db)
  if (applied === number) return
  throw new StartupError(
    applied > number
      ? 'The database belongs to a newer version of Roost. Make the backup with that version.'
      : applied === 0
        ? 'The database has no tables of Roost, so there is nothing to back up.'
        : `The database belongs to an older version of Roost. Make the backup with that version, or start this one once: it brings the tables up to ${name}.`,
  )
}
