import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireFileLock, type FileLock } from '../util/file-lock.ts'
import { StartupError } from '../util/startup-error.ts'
import { ensureCluster } from './empty-cluster.ts'

export interface EmbeddedPostgres {
  socketPath: string
  close(): Promise<void>
}

/** sun_path holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * Starts PGlite on `dataDir` and locks the directory, because two processes on one directory corrupt the database.
 * @throws StartupError when the directory is taken or can't be opened as a database
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  onCrash: (message: string) => void,
): Promise<EmbeddedPostgres> {
  const lock = takeLock(dataDir)
  let socketDir: string | undefined
  let socketPath = join(dataDir, 'pg.sock')
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    socketDir = mkdtempSync(join(tmpdir(), 'roost-'))
    socketPath = join(socketDir, 'pg.sock')
  }
  // A killed process leaves its socket; because of the lock, nobody listens on it.
  rmSync(socketPath, { force: true })

  // The worker loads PGlite while a new database is unpacked.
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url).href)
  const cleanUp = () => {
    worker.terminate()
    if (socketDir) rmSync(socketDir, { recursive: true, force: true })
    lock.release()
  }
  const answer = () =>
    new Promise<{ failed?: string }>((resolve) => {
      worker.onmessage = (event) => resolve(event.data)
      worker.onerror = (event) => resolve({ failed: event.message })
    })

  const database = join(dataDir, 'pg')
  try {
    await ensureCluster(database)
    worker.postMessage({ dataDir: database, socketPath })
    const { failed } = await answer()
    if (failed) throw new StartupError(`The embedded database in ${dataDir} does not open: ${failed}`)
  } catch (error) {
    cleanUp()
    throw error
  }
  worker.onerror = (event) => onCrash(event.message)

  return {
    socketPath,
    async close() {
      worker.postMessage('close')
      await answer()
      cleanUp()
    },
  }
}

function takeLock(dataDir: string): FileLock {
  let lock: FileLock | undefined
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    lock = acquireFileLock(join(dataDir, 'lock.sqlite'))
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    throw new StartupError(
      `The directory in DATA_DIR, ${dataDir}, can't be used: ${code}, ${message}. The user who runs the server must be able to write to it, and its disk needs free space.`,
    )
  }
  if (lock) return lock
  throw new StartupError(
    `Another process uses the data directory ${dataDir}. Stop it, or set DATA_DIR to another directory.`,
  )
}
