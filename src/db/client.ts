import { sql } from 'drizzle-orm'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import type { Config } from '../config/index.ts'
import { inTurn } from '../util/in-turn.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import { withoutQuery } from '../util/without-query.ts'
import { checkpointRegularly } from './checkpoints.ts'
import { copyCluster } from './copy-cluster.ts'
import {
  BACKUP_NAME,
  MIGRATION_SECONDS,
  openEmbedded,
  openMigrator,
  openPool,
  type PoolUse,
  poolUse,
} from './driver.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts'
import { MIGRATIONS } from './migrations.ts'
import { refuseTransactionPooling } from './pooler.ts'
import { settings } from './schema/index.ts'
import { prepareStatements } from './statements.ts'
import { endStuckConnections } from './stuck.ts'

/** A database or a transaction on it: the query builder is the same. */
export type Db = PgDatabase<PostgresJsQueryResultHKT>

/** Brings rows up to date that an older version wrote. May run at every start, so it must end soon when there are none. */
export type Upgrade = (db: Db, log: Logger) => Promise<void>

/** @throws Error when the copy can't be written */
export type CopyTo = (directory: string) => Promise<void>

export interface Database {
  db: Db
  embedded: boolean
  /** Differs between any two databases; part of every cursor. */
  epoch: string
  /** Whether another server used this database when this one started. */
  shared: boolean
  pool(): PoolUse
  /** Copies an embedded database to a new directory, as it is at one moment. */
  copyTo: CopyTo | undefined
  close(): Promise<void>
}

const MIN_SERVER_VERSION = 150_000
const LOCK_RETRY_MS = 100

/**
 * Opens the database, embedded or not, and brings it up to date: with the migrations, then with `upgrades`. Several
 * servers may do so at once.
 * @param started the embedded database, when the caller has begun to start it
 * @throws StartupError with what the operator should look at
 */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  log: Logger,
  upgrades: readonly Upgrade[] = [],
  started?: Promise<EmbeddedPostgres> | undefined,
): Promise<Database> {
  const embedded = config.databaseUrl
    ? undefined
    : await (started ?? startEmbeddedPostgres(config.dataDir, log))
  // Differs between any two servers, so that they can count each other.
  const name = `roost ${crypto.randomUUID().slice(0, 8)}`
  const client = embedded ? openEmbedded(embedded) : openPool(config.databaseUrl!, name)
  // The lock belongs to a connection, so migrations have one of their own. PGlite has only one, and only this server uses it.
  const migrator = embedded ? client : openMigrator(config.databaseUrl!, name)
  let epoch: string
  let shared = false
  try {
    if (!embedded) await refuseTransactionPooling(client, migrator)
    epoch = await prepare(client, migrator, log, upgrades)
    if (!embedded) shared = await hasOtherServers(migrator, name)
  } catch (error) {
    await client.end({ timeout: 0 })
    await embedded?.close()
    throw startupError(
      error,
      embedded ? `embedded database in ${config.dataDir}` : 'database in DATABASE_URL',
    )
  } finally {
    if (migrator !== client) await migrator.end({ timeout: 1 })
  }
  const db = drizzle(prepareStatements(client))
  // A checkpoint deletes what a copy needs of the log of changes, and there can be one copy at a time.
  const turn = inTurn()
  const stopWatch = embedded ? checkpointRegularly(db, turn) : endStuckConnections(client)
  return {
    db,
    embedded: embedded !== undefined,
    epoch,
    shared,
    pool: () => poolUse(client),
    copyTo: embedded && ((directory) => turn(() => copyCluster(db, embedded.directory, directory))),
    async close() {
      stopWatch()
      await client.end({ timeout: 1 })
      await embedded?.close()
    },
  }
}

async function prepare(
  client: postgres.Sql,
  migrator: postgres.Sql,
  log: Logger,
  upgrades: readonly Upgrade[],
): Promise<string> {
  const [version] = await client`select current_setting('server_version_num')::int as number`
  if (version!.number < MIN_SERVER_VERSION) {
    throw new StartupError('DATABASE_URL points to a PostgreSQL older than version 15. Upgrade it.')
  }
  await lockMigrations(migrator)
  try {
    await migrate(drizzle(migrator), { migrationsFolder: MIGRATIONS })
    const db = drizzle(client)
    const fresh = Bun.randomUUIDv7().replaceAll('-', '')
    await db.execute(
      sql`insert into settings (key, value) values ('epoch', to_jsonb(${fresh}::text)) on conflict do nothing`,
    )
    for (const upgrade of upgrades) await upgrade(db, log)
    const [row] = await db.select().from(settings).where(sql`key = 'epoch'`)
    return row!.value as string
  } finally {
    await migrator`select pg_advisory_unlock(hashtext('roost:migrate'))`
  }
}

/** Asks again and again, because a statement that waits for another server's migration would hold up that migration. */
async function lockMigrations(migrator: postgres.Sql): Promise<void> {
  const start = performance.now()
  while (performance.now() - start < MIGRATION_SECONDS * 1000) {
    const [lock] = await migrator`select pg_try_advisory_lock(hashtext('roost:migrate')) as taken`
    if (lock!.taken) return
    await Bun.sleep(LOCK_RETRY_MS)
  }
  throw new StartupError(
    'Another server has been migrating the database in DATABASE_URL for an hour. Look whether it is stuck.',
  )
}

/** Whether other servers are connected to this database. */
async function hasOtherServers(client: postgres.Sql, name: string): Promise<boolean> {
  const [row] = await client`
    select exists (
      select from pg_stat_activity
      where datname = current_database() and application_name like 'roost %'
        and application_name not in (${name}, ${BACKUP_NAME})
    ) as found`
  return row!.found
}

/** Says in words for the operator what is wrong, without the URL, because it contains a password. */
export function startupError(error: unknown, database: string): StartupError {
  if (error instanceof StartupError) return error
  const { code = '', message = '' } = withoutQuery(error) as { code?: string; message?: string }
  const hints: Record<string, string> = {
    ECONNREFUSED: 'nothing listens at its host and port',
    ENOTFOUND: 'its host name does not resolve',
    EAI_AGAIN: 'its host name does not resolve',
    CONNECT_TIMEOUT: 'its host does not answer',
    CONNECTION_SILENT: 'its host does not answer',
    QUERY_TIMEOUT: 'its host does not answer',
    CONNECTION_CLOSED: 'what listens at its host and port closes connections',
    '28P01': 'the user name or password is wrong',
    '28000': 'the user may not connect',
    '3D000': 'the database does not exist',
    '42501': 'the user may not create tables',
  }
  const hint = hints[code] ?? `${message || 'unknown error'}${code && ` (${code})`}`
  return new StartupError(`The ${database} can't be used: ${hint}.`)
}
