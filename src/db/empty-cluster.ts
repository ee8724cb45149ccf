/**
 * Makes the directory of a new embedded database from a file with all tables that there were when the file was made.
 * PGlite's own initdb takes 5 s of processor time and 1.1 GB of memory, and the tables take 2 s. A start adds later migrations
 * and queues, as to any older database.
 *
 * Every embedded database has the same PostgreSQL system identifier for that reason. PostgreSQL compares it only between a
 * primary and its replicas or archived WAL, which PGlite does not have. Roost tells databases apart by their epoch, which is
 * not in the file.
 */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '../util/startup-error.ts'

/** Made by `bun run db:cluster`. */
export const CLUSTER_FILE = join(import.meta.dir, 'empty-cluster.tar.zst')
/** A file in the archive, and in every directory made from it, that names the version of PGlite that ran initdb. */
export const VERSION_FILE = 'PGLITE_VERSION'

/**
 * Makes `directory` unless it exists. A process that is killed meanwhile leaves only a `.new` beside it, which the next
 * call deletes. Nothing is synced to the disk: PGlite runs PostgreSQL without fsync, so a sync here would not protect
 * the database from a power cut.
 * @throws StartupError when it can't be written
 */
export async function ensureCluster(directory: string): Promise<void> {
  if (existsSync(directory)) return
  const draft = `${directory}.new`
  try {
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { mode: 0o700 })
    const tar = await Bun.zstdDecompress(await Bun.file(CLUSTER_FILE).bytes())
    await new Bun.Archive(tar).extract(draft)
    await rename(draft, directory)
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {})
    throw new StartupError(
      `A new database can't be written to ${directory}: ${(error as Error).message.trim()}. It needs a directory that this user may write to, on a disk with 100 MB of free space.`,
    )
  }
}
