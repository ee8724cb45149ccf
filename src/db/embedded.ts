import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireFileLock } from '../util/file-lock.ts'
import { StartupError } from '../util/startup-error.ts'

export interface EmbeddedPostgres {
  socketPath: string
  close(): Promise<void>
}

/** sun_path holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * Starts PGlite on `dataDir`, which no other process may use meanwhile: two on one directory corrupt it.
 * @throws StartupError when the directory is taken or can't be opened as a database
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  onCrash: (message: string) => void,
): Promise<EmbeddedPostgres> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = acquireFileLock(join(dataDir, 'lock.sqlite'))
  if (!lock) {
    throw new StartupError(
      `Another process uses the data directory ${dataDir}. Stop it, or set DATA_DIR to another directory.`,
    )
  }
  let socketDir: string | undefined
  let socketPath = join(dataDir, 'pg.sock')
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    socketDir = mkdtempSync(join(tmpdir(), 'roost-'))
    socketPath = join(socketDir, 'pg.sock')
  }
  // Left behind by a killed process; the lock says that nobody listens on it.
  rmSync(socketPath, { force: true })

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

  worker.postMessage({ dataDir: join(dataDir, 'pg'), socketPath })
  const { failed } = await answer()
  if (failed) {
    cleanUp()
    throw new StartupError(`The embedded database in ${dataDir} does not open: ${failed}`)
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
