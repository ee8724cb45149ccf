/** Opens what a backup reads: a snapshot of the database, and the objects. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/index.ts'
import {
  type BackupEnd,
  beginBackup,
  endBackup,
  LEASE_LOST,
  RENEW_MS,
  renewBackup,
} from '../core/backup/backups.ts'
import { assertCurrent, type BackupDatabase, connectEmbedded, connectPostgres } from '../db/backup-client.ts'
import { startEmbeddedPostgres } from '../db/embedded.ts'
import { openStorage } from '../parts.ts'
import type { Storage } from '../storage/storage.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import { askForBackup } from './control-client.ts'

export interface Source {
  database: BackupDatabase
  storage: Storage
  /** Aborted when the server, or another one, no longer keeps the objects for this backup. */
  lost: AbortSignal
  /** @throws StartupError when objects may have been deleted meanwhile */
  assertHeld(): Promise<void>
  /** Records how the backup ended. Close the snapshot first. */
  end(result: BackupEnd): Promise<void>
  close(): Promise<void>
}

/**
 * Records that a backup begins, and opens the database that it reads: PostgreSQL itself; of a running server with an embedded
 * database a copy, which that server makes; without a server the embedded database itself.
 * @throws StartupError
 */
export async function openSource(config: Config, fileName: string, log: Logger): Promise<Source> {
  const stack = new AsyncDisposableStack()
  try {
    const storage = await openStorage(config, log)
    stack.defer(() => storage.close())
    const recorder = config.databaseUrl
      ? await inPostgres(config.databaseUrl, fileName, stack)
      : ((await besideServer(config.dataDir, fileName, log, stack)) ??
        (await withoutServer(config.dataDir, fileName, log, stack)))
    return { storage, ...recorder, close: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

type Recorder = Pick<Source, 'database' | 'lost' | 'assertHeld' | 'end'>

async function inPostgres(url: string, fileName: string, stack: AsyncDisposableStack): Promise<Recorder> {
  const database = stack.adopt(await connectPostgres(url), (open) => open.close())
  // The snapshot's connection has a transaction until the end.
  const { db } = stack.adopt(await connectPostgres(url), (open) => open.close())
  await assertCurrent(db)
  const id = await beginBackup(db, fileName)
  const lost = new AbortController()
  const renew = async () => {
    if (!(await renewBackup(db, id))) throw new StartupError(LEASE_LOST)
  }
  // After another failure the next renewal may succeed. When the lease has ended meanwhile, it says so.
  const timer = setInterval(
    () => void renew().catch((error) => error instanceof StartupError && lost.abort(error)),
    RENEW_MS,
  )
  stack.defer(() => clearInterval(timer))
  const end: Recorder['end'] = (result) => endBackup(db, id, result)
  return { database, lost: lost.signal, assertHeld: renew, end }
}

async function besideServer(
  dataDir: string,
  fileName: string,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<Recorder | undefined> {
  const control = await askForBackup(dataDir, fileName)
  if (!control) return undefined
  stack.defer(() => control.close())
  const embedded = stack.adopt(await startEmbeddedPostgres(control.copy, log), (open) => open.close())
  const database = stack.adopt(await connectEmbedded(embedded), (open) => open.close())
  await assertCurrent(database.db)
  // The server renews the lease while it lives.
  const { lost, assertHeld, end } = control
  return { database, lost, assertHeld, end }
}

async function withoutServer(
  dataDir: string,
  fileName: string,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<Recorder> {
  if (!existsSync(join(dataDir, 'pg')))
    throw new StartupError(`There is no database in ${dataDir}. Set DATA_DIR as the server has it.`)
  const embedded = stack.adopt(await startEmbeddedPostgres(dataDir, log), (open) => open.close())
  const database = stack.adopt(await connectEmbedded(embedded), (open) => open.close())
  const { db } = database
  await assertCurrent(db)
  const id = await beginBackup(db, fileName)
  // Nobody else can use the database meanwhile, so the lease needs no renewal.
  const lost = new AbortController().signal
  return { database, lost, assertHeld: async () => {}, end: (result) => endBackup(db, id, result) }
}
