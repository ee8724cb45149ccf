import { Database } from 'bun:sqlite'

export interface FileLock {
  release(): void
}

/** Keeps the databases of held locks alive, because garbage collection closes a Database and so releases its lock. */
const held = new Set<Database>()

/**
 * Takes the lock `path` for this process: undefined when another process, or this one, holds it already. It makes the file
 * if it is missing, but not its directory. Any other failure is thrown.
 *
 * An exclusive SQLite transaction is a kernel lock. It ends with the process, also after `kill -9`, so there is no stale
 * lock to remove. No other code of the process may open the file, because POSIX drops all of a process's locks on a file
 * when any descriptor of it closes. The file stays: if it were deleted, two processes could hold the lock.
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
