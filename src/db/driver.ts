import postgres from 'postgres'
import { parseJson } from '../util/json.ts'
import type { EmbeddedPostgres } from './embedded.ts'
import { MAX_PREPARED } from './statements.ts'

const POOL_SIZE = 10

/** The limit of a statement, with the time in which it waits for locks. */
const STATEMENT_MS = 10_000
/** A migration may rewrite a table of any size. */
export const MIGRATION_SECONDS = 3600
/**
 * How long a server that has vanished keeps the locks of its transaction. Shorter than a statement's limit, so that a
 * statement that waits for such a lock gets it. A running server needs less time between two statements of a transaction.
 */
const IDLE_IN_TRANSACTION_MS = 5000

/**
 * Settings with which PostgreSQL notices that this server has vanished. A machine that loses its power closes no
 * connection, and by default TCP keeps such a connection for hours.
 */
const PRESENCE = {
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 25_000,
}

const common = {
  onnotice: () => {},
  connect_timeout: 5,
  // Short, so that the first requests after the database has come back succeed.
  backoff: () => 0.25,
  max_lifetime: null,
  fetch_types: false,
  max_prepared: MAX_PREPARED,
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

/** Connections of the programs that make and restore backups. The name of a server has its number in place of `backup`. */
export const BACKUP_NAME = 'roost backup'

/** A pool of connections to PostgreSQL, under the `name` of this server. Limits of PostgreSQL and of the driver end every query. */
export const openPool = (url: string, name: string): postgres.Sql =>
  postgres(url, {
    ...common,
    max: POOL_SIZE,
    // A query waits for a free connection and not behind another query, which may wait for a lock or lose its connection.
    max_pipeline: 0,
    keep_alive: 10,
    // Longer than a statement may take: before that, PostgreSQL sends an answer or an error.
    silence_timeout: STATEMENT_MS / 1000 + 2,
    query_timeout: STATEMENT_MS / 1000 + 5,
    connection: { application_name: name, statement_timeout: STATEMENT_MS, ...PRESENCE },
  })

/** A connection of its own, for statements that may take long. */
export const openMigrator = (url: string, name: string): postgres.Sql =>
  postgres(url, {
    ...common,
    max: 1,
    keep_alive: 10,
    silence_timeout: MIGRATION_SECONDS + 2,
    connection: { application_name: name, statement_timeout: MIGRATION_SECONDS * 1000, ...PRESENCE },
  })

/** One connection, because PGlite has one backend. No time limits, because no network can lose the connection. */
export const openEmbedded = ({ socketPath }: EmbeddedPostgres): postgres.Sql =>
  postgres({ ...common, path: socketPath, user: 'postgres', database: 'postgres', max: 1 })

/** How many connections are idle and busy, and how many queries wait for one. */
export interface PoolUse {
  idle: number
  busy: number
  waiting: number
}

/** `patches/README.md` adds the function, which the driver's types lack. */
export const poolUse = (client: postgres.Sql): PoolUse => (client as unknown as { pool(): PoolUse }).pool()
