import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import type { Config } from '../config.ts'
import { parseJson } from '../util/json.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import { startEmbeddedPostgres } from './embedded.ts'
import * as schema from './schema/index.ts'

/** A database or a transaction on it: the query builder is the same. */
export type Db = PgDatabase<PostgresJsQueryResultHKT, typeof schema>

export interface Database {
  db: Db
  embedded: boolean
  /** Differs between any two databases; part of every cursor. */
  epoch: string
  close(): Promise<void>
}

const MIGRATIONS = join(import.meta.dir, '../../drizzle')
const MIN_SERVER_VERSION = 150_000
const POOL_SIZE = 10

/**
 * Opens the database, embedded or not, and brings it up to date. Several servers may do so at once.
 * @throws StartupError with what the operator should look at
 */
export async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDir'>,
  log: Logger,
): Promise<Database> {
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres(config.dataDir, (message) => {
        log.fatal({ message }, 'the embedded database crashed')
        process.exit(1)
      })
  const connect = (max: number) =>
    embedded
      ? postgres({
          ...driverOptions,
          path: embedded.socketPath,
          user: 'postgres',
          database: 'postgres',
          max: 1,
        })
      : postgres(config.databaseUrl!, {
          ...driverOptions,
          max,
          // A query that hangs must not hold its connection for ever.
          connection: { application_name: 'roost', statement_timeout: 15_000 },
        })

  const client = connect(POOL_SIZE)
  // The lock belongs to a connection, so migrations have one of their own; PGlite has only one, and no rival.
  const migrator = embedded ? client : connect(1)
  let epoch: string
  try {
    epoch = await prepare(migrator)
  } catch (error) {
    await client.end({ timeout: 0 })
    await embedded?.close()
    throw startupError(error)
  } finally {
    if (migrator !== client) await migrator.end({ timeout: 1 })
  }
  return {
    db: drizzle(client, { schema }),
    embedded: embedded !== undefined,
    epoch,
    async close() {
      await client.end({ timeout: 1 })
      await embedded?.close()
    },
  }
}

const driverOptions = {
  onnotice: () => {},
  connect_timeout: 5,
  // While the database is away, retry soon: the first requests after its return should succeed.
  backoff: () => 0.25,
  max_lifetime: null,
  fetch_types: false,
  // Whole numbers that no double holds come back as they were stored.
  types: {
    json: {
      to: 3802,
      from: [114, 3802],
      serialize: JSON.stringify,
      parse: (text: string) => parseJson(text, 'null'),
    },
  },
} satisfies postgres.Options<Record<string, postgres.PostgresType>>

async function prepare(client: postgres.Sql): Promise<string> {
  const [version] = await client`select current_setting('server_version_num')::int as number`
  if (version!.number < MIN_SERVER_VERSION) {
    throw new StartupError('DATABASE_URL points to a PostgreSQL older than version 15. Upgrade it.')
  }
  const db = drizzle(client)
  await client`select pg_advisory_lock(hashtext('roost:migrate'))`
  try {
    await migrate(db, { migrationsFolder: MIGRATIONS })
    const fresh = Bun.randomUUIDv7().replaceAll('-', '')
    await db.execute(
      sql`insert into settings (key, value) values ('epoch', to_jsonb(${fresh}::text)) on conflict do nothing`,
    )
    const [row] = await db.select().from(schema.settings).where(sql`key = 'epoch'`)
    return row!.value as string
  } finally {
    await client`select pg_advisory_unlock(hashtext('roost:migrate'))`
  }
}

/** What went wrong in the operator's words; never the URL, which carries a password. */
function startupError(error: unknown): StartupError {
  if (error instanceof StartupError) return error
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const hints: Record<string, string> = {
    ECONNREFUSED: 'nothing listens at its host and port',
    ENOTFOUND: 'its host name does not resolve',
    EAI_AGAIN: 'its host name does not resolve',
    CONNECT_TIMEOUT: 'its host does not answer',
    '28P01': 'the user name or password is wrong',
    '28000': 'the user may not connect',
    '3D000': 'the database does not exist',
    '42501': 'the user may not create tables',
  }
  const hint = hints[code] ?? `${message || 'unknown error'}${code && ` (${code})`}`
  return new StartupError(`The database in DATABASE_URL can't be used: ${hint}.`)
}
