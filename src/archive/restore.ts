/** Restores an archive into an empty database and an empty storage: docs/operations.md, "Restore". */
import { keepJobs, settleRestored } from '../core/backup/after-restore.ts'
import type { Db } from '../db/client.ts'
import { analyze, filledTables, Loader, makeSchema, migrateToCurrent } from '../db/load.ts'
import type { Storage } from '../storage/storage.ts'
import { chunkOf } from '../util/chunk-of.ts'
import { StartupError } from '../util/startup-error.ts'
import { messageOf } from '../util/without-query.ts'
import { type Head, OBJECTS_AT_ONCE, SMALL_OBJECT_BYTES } from './format.ts'
import { bytesOf, listOf, type Placed, readArchive, textOf } from './read.ts'
import type { Target } from './target.ts'

/** Keys of one deletion. */
const DELETED_AT_ONCE = 500

/**
 * Restores a checked archive. Rows come in one transaction, which is committed when all objects are stored.
 * @throws StartupError when there is data already, or the program was stopped; then nothing is left of the archive, unless only
 * the commit failed
 */
export async function restoreArchive(
  path: string,
  head: Head,
  { database, storage }: Target,
  options: { keepSessions: boolean; fileName: string; signal: AbortSignal },
): Promise<void> {
  let isFilled = false
  const restored = database.restore(async (db) => {
    await assertEmptyDatabase(db)
    await assertEmptyStorage(storage)
    await makeSchema(db, head.schema.number, database.embedded)
    try {
      await fill(db, path, head, storage, options.signal)
      await settleRestored(db, options)
      await analyze(db)
      options.signal.throwIfAborted()
    } catch (error) {
      await deleteObjects(storage).catch((reason) => {
        throw new StartupError(
          `${options.signal.aborted ? 'The restore was stopped.' : messageOf(error)} Then its files could not be deleted (${messageOf(reason)}). ${nameOfPlace(storage)} has to be emptied before you start again.`,
        )
      })
      throw error
    }
    isFilled = true
  })
  await restored.catch((error) => {
    if (!isFilled) throw error
    // The files stay, because stored rows need them.
    throw new StartupError(
      `The last step in the database failed (${messageOf(error)}), so its rows may be stored or not. Start the same command again: it says which parts have data.`,
    )
  })
}

async function fill(db: Db, path: string, head: Head, storage: Storage, signal: AbortSignal): Promise<void> {
  let loader: Loader | undefined = await Loader.open(db, head.tables)
  const objects = new ObjectWriter(storage, signal)
  const endOfRows = async () => {
    await loader?.finish(head.sequences)
    if (loader) await migrateToCurrent(db)
    loader = undefined
  }
  try {
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
      if (place.kind === 'object') await objects.write(place.key, entry)
    }
    await endOfRows()
  } catch (error) {
    await objects.end().catch(() => {})
    throw error
  }
  await objects.end()
}

class ObjectWriter {
  private readonly running: Promise<unknown>[] = []

  constructor(
    private readonly storage: Storage,
    private readonly signal: AbortSignal,
  ) {}

  /** Throws for this object, or for an earlier one. */
  async write(key: string, entry: Placed): Promise<void> {
    const { signal } = this
    if (entry.size > SMALL_OBJECT_BYTES)
      return void (await this.storage.write(key, bodyOf(entry.body), { signal }))
    const writing = this.storage.write(key, chunkOf(await bytesOf(entry)), { signal })
    writing.catch(() => {})
    this.running.push(writing)
    if (this.running.length === OBJECTS_AT_ONCE) await this.running.shift()
  }

  /** No object is being written afterwards, also when it throws. */
  async end(): Promise<void> {
    await Promise.allSettled(this.running)
    await Promise.all(this.running)
  }
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
      `${nameOfPlace(storage)} already has files, such as ${key}. Restore into an empty one. Files that a killed restore has left can be deleted.`,
    )
}

const nameOfPlace = (storage: Storage): string =>
  storage.kind === 's3' ? 'The bucket in S3_BUCKET' : 'The folder objects in DATA_DIR'

/** What a failed restore has stored: the storage was empty before. */
async function deleteObjects(storage: Storage): Promise<void> {
  const keys: string[] = []
  for await (const { key } of storage.list('')) {
    keys.push(key)
    if (keys.length === DELETED_AT_ONCE) await storage.delete(keys.splice(0))
  }
  await storage.delete(keys)
}
