/** Opens what a restore writes. */
import type { Config } from '../config/index.ts'
import { type BackupDatabase, connectEmbedded, connectPostgres } from '../db/backup-client.ts'
import { startEmbeddedPostgres } from '../db/embedded.ts'
import { openStorage } from '../parts.ts'
import type { Storage } from '../storage/storage.ts'
import { makeDataDir } from '../util/data-dir.ts'
import type { Logger } from '../util/logger.ts'

export interface Target {
  database: BackupDatabase
  storage: Storage
  close(): Promise<void>
}

/**
 * Opens database and storage, and makes them where they are missing.
 * @throws StartupError, also when a server uses the data directory
 */
export async function openTarget(config: Config, log: Logger): Promise<Target> {
  const stack = new AsyncDisposableStack()
  try {
    const database = stack.adopt(await openDatabase(config, log, stack), (open) => open.close())
    const storage = stack.adopt(await openStorage(config, log), (open) => open.close())
    return { database, storage, close: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function openDatabase(
  { databaseUrl, dataDir }: Config,
  log: Logger,
  stack: AsyncDisposableStack,
): Promise<BackupDatabase> {
  if (databaseUrl) {
    makeDataDir(dataDir)
    return connectPostgres(databaseUrl)
  }
  const embedded = stack.adopt(await startEmbeddedPostgres(dataDir, log), (open) => open.close())
  return connectEmbedded(embedded)
}
