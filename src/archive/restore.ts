/** Restores an archive into an empty database and an empty storage: docs/operations.md, "Restore". */
import { keepJobs, settleRestored } from '../core/backup/after-restore.ts'
import type { Db } from '../db/client.ts'
import { filledTables, Loader, makeSchema, migrateToCurrent } from '../db/load.ts'
import type { Storage } from '../storage/storage.ts'
import { StartupError } from '../util/startup-error.ts'
import type { Head } from './format.ts'
import { listOf, readArchive, textOf } from './read.ts'
import type { Target } from './target.ts'

/** Keys of one deletion. */
const DELETED_AT_ONCE = 500

/**
 * Restores a checked archive. Rows come in one transaction, which is committed when all objects are stored.
 * @throws StartupError when there is data already, or the program was stopped; then nothing is left of the archive
 */
export async function restoreArchive(
  path: string,
  head: Head,
  { database, storage }: Target,
  options: { keepSessions: boolean; fileName: string; signal: AbortSignal },
): Promise<void> {
  await assertEmptyStorage(storage)
  await database.restore(async (db) => {
    await assertEmptyDatabase(db)
    await makeSchema(db, head.schema.number, database.embedded)
    try {
      await fill(db, path, head, storage, options.signal)
      await settleRestored(db, options)
      options.signal.throwIfAborted()
    } catch (error) {
      await deleteObjects(storage)
      throw error
    }
  })
}

async function fill(db: Db, path: string, head: Head, storage: Storage, signal: AbortSignal): Promise<void> {
  let loader: Loader | undefined = await Loader.open(db, head.tables)
  const endOfRows = async () => {
    await loader?.finish(head.sequences)
    if (loader) await migrateToCurrent(db)
    loader = undefined
  }
  for await (const entry of readArchive(path, signal)) {
    const { place } = entry
    if (place.kind === 'head') continue
    if (place.kind === 'rows') {
      if (!loader) throw new StartupError(`${path} has rows behind its objects.`)
      await loader.insert(place.table, listOf(await textOf(entry)))
      continue
    }
    await endOfRows()
    if (place.kind === 'jobs') await keepJobs(db, listOf(await textOf(entry)))
    if (place.kind === 'object') await storage.write(place.key, bodyOf(entry.body), { signal })
  }
  await endOfRows()
}

async function* bodyOf(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* body
}

/** @throws StartupError */
async function assertEmptyDatabase(db: Db): Promise<void> {
  const filled = await filledTables(db)
  if (filled.length === 0) return
  throw new StartupError(
    `The database already has data (in ${filled.slice(0, 3).join(', ')}${filled.length > 3 ? ' and more' : ''}). Restore into an empty one: a new database in DATABASE_URL, or a new DATA_DIR.`,
  )
}

/** @throws StartupError */
async function assertEmptyStorage(storage: Storage): Promise<void> {
  for await (const { key } of storage.list(''))
    throw new StartupError(
      `The ${storage.kind === 's3' ? 'bucket in S3_BUCKET' : 'folder objects in DATA_DIR'} already has files, such as ${key}. Restore into an empty one. Files that a killed restore has left can be deleted.`,
    )
}

/** What a failed restore has stored: the storage was empty before. */
async function deleteObjects(storage: Storage): Promise<void> {
  const keys: string[] = []
  for await (const { key } of storage.list('')) {
    keys.push(key)
    if (keys.length === DELETED_AT_ONCE) await storage.delete(keys.splice(0))
  }
  await storage.delete(keys)
}
