/** The directory and the database of a scenario's server. */
import { rmSync } from 'node:fs'
import type { StoredSystemConfig } from '../../src/core/system/settings.ts'
import { openDatabase } from '../../src/db/client.ts'
import { settings } from '../../src/db/schema/index.ts'
import { createLogger } from '../../src/util/logger.ts'
import { PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { temporaryDirectory } from '../support/process.ts'
import { copyTemplate, createFromTemplate } from '../support/template.ts'

export interface Parts extends AsyncDisposable {
  /** For the server. */
  env: Record<string, string>
  dataDir: string
  /** Undefined: embedded, in `dataDir`. */
  databaseUrl: string | undefined
}

export const DATABASES = ['embedded', 'PostgreSQL'] as const
export type DatabaseKind = (typeof DATABASES)[number]

const given = process.env.TEST_DATABASE_URL
export const hasPostgres = given !== undefined || postgresBinaries !== undefined
export const NO_DATABASE = 'set TEST_DATABASE_URL, or install PostgreSQL 15 or newer in /usr/lib/postgresql'

/** @param system what differs from the default system configuration */
export async function openParts(kind: DatabaseKind, system: StoredSystemConfig = {}): Promise<Parts> {
  const stack = new AsyncDisposableStack()
  const dataDir = temporaryDirectory('fault')
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  try {
    const databaseUrl = kind === 'embedded' ? undefined : await newDatabase(stack)
    if (!databaseUrl) await copyTemplate(dataDir)
    const database = await openDatabase({ dataDir, databaseUrl }, createLogger('silent'))
    await database.db.insert(settings).values({ key: 'system', value: system })
    await database.close()
    const env = { DATA_DIR: dataDir, ...(databaseUrl && { DATABASE_URL: databaseUrl }) }
    return { env, dataDir, databaseUrl, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** A database in TEST_DATABASE_URL when that is set, else in a cluster of its own. */
async function newDatabase(stack: AsyncDisposableStack): Promise<string> {
  if (given === undefined) return stack.use(await PostgresCluster.start()).createDatabase()
  const { url, drop } = await createFromTemplate(given)
  stack.defer(drop)
  return url
}
