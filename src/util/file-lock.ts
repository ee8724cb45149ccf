import { Database } from 'bun:sqlite'

export interface FileLock {
  release(): void
}

/** Keeps the held ones alive: collecting a Database closes it, and with that its lock is gone. */
const held = new Set<Database>()

/**
 * Takes the lock `path` for this process: undefined when somebody else (or this process, before) holds it.
 * The file is made when missing, its directory must exist; anything else that goes wrong is thrown.
 *
 * An exclusive SQLite transaction is a kernel lock: it is gone with the process, also after `kill -9`, so there
 * is no stale lock to clean up. Nobody else may open the file in the holder's process: POSIX drops all of a
 * process's locks on a file when any descriptor of it closes. The file stays; deleting it would let two in.
 */
export function acquireFileLock(path: string): FileLock | undefined {
  const database = new Database(path, { create: true })
  try {
    database.run('PRAGMA busy_timeout = 0')
    database.run('PRAGMA locking_mode = EXCLUSIVE')
    database.run('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined
    throw error
  }
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}
