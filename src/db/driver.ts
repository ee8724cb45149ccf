import postgres from 'postgres'
import { parseJson } from '../util/json.ts'
import type { EmbeddedPostgres } from './embedded.ts'
import { MAX_PREPARED } from './statements.ts'

export const POOL_SIZE = 10

/** What a statement may take, with the time in which it waits for locks. */
const STATEMENT_MS = 10_000
/** A migration may rewrite a table of any size. */
export const MIGRATION_SECONDS = 3600
/**
 * What a server that is gone may keep locked. Shorter than a statement, so that whoever waits for the lock gets it and
 * does not fail. Between two statements of a transaction a server does nothing that takes so long.
 */
const IDLE_IN_TRANSACTION_MS = 5000

/**
 * How the database notices that this server is gone. The machine may have vanished without a word, and by default TCP
 * believes for hours that it is still there.
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
  // While the database is away, retry soon: the first requests after its return should succeed.
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

/** The pool on a PostgreSQL, under the `name` of this server. Every query ends: by its answer, by the database's limit, or by this side's. */
export const openPool = (url: string, name: string): postgres.Sql =>
  postgres(url, {
    ...common,
    max: POOL_SIZE,
    // A query waits for a free connection and not behind another query, which may wait for a lock or lose its connection.
    max_pipeline: 0,
    keep_alive: 10,
    // Longer than a statement may take: then the database would have said something.
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

/** PGlite has one backend. It is in this process: there is no network that could lose a connection. */
export const openEmbedded = ({ socketPath }: EmbeddedPostgres): postgres.Sql =>
  postgres({ ...common, path: socketPath, user: 'postgres', database: 'postgres', max: 1 })
