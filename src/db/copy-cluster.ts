import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

/** The folder of the log of changes. */
const LOG = 'pg_wal'

/**
 * Copies the files of an embedded database while it goes on, in the way of PostgreSQL's base backups: after a checkpoint come the
 * files, each in whatever state it is, and then the log of all changes since the checkpoint. PostgreSQL repeats these changes when
 * it opens the copy, which then is as the database was after the last file. A transaction that was open is not in it. A file
 * system that can share blocks copies none. Only one copy can be made at a time.
 * @param from the directory of the database
 * @param to a directory, which is made
 */
export async function copyCluster(db: Db, from: string, to: string): Promise<void> {
  const [start] = await db.execute<{ file: string }>(
    sql`select pg_walfile_name(pg_backup_start('roost', fast => true)) as file`,
  )
  try {
    await copyFiles(from, to, (path) => !path.startsWith(`${LOG}/`))
  } catch (error) {
    await stop(db).catch(() => {})
    throw error
  }
  const { label, file } = await stop(db)
  await copyFiles(join(from, LOG), join(to, LOG), (name) => name >= start!.file && name <= file)
  // It says where the changes begin.
  await writeFile(join(to, 'backup_label'), label, { mode: 0o600 })
}

/** Otherwise the next copy could not begin. */
async function stop(db: Db): Promise<{ label: string; file: string }> {
  const [row] = await db.execute<{ label: string; file: string }>(
    sql`select labelfile as label, pg_walfile_name(lsn) as file from pg_backup_stop(wait_for_archive => false)`,
  )
  return row!
}

/** Copies all folders, and the files that are wanted by their paths in `from`. */
async function copyFiles(from: string, to: string, isWanted: (path: string) => boolean): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    const path = relative(from, join(entry.parentPath, entry.name))
    const target = join(to, path)
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true, mode: 0o700 })
    } else if (isWanted(path)) {
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 })
      await copyFile(join(from, path), target, constants.COPYFILE_FICLONE).catch((error) => {
        // The database has removed the file meanwhile.
        if ((error as { code?: string }).code !== 'ENOENT') throw error
      })
    }
  }
}
