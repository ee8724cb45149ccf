import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDataDir, unusableDataDir } from '../util/data-dir.ts'
import { acquireFileLock, type FileLock } from '../util/file-lock.ts'
import type { Logger } from '../util/logger.ts'
import { socketPathIn } from '../util/socket-path.ts'
import { StartupError } from '../util/startup-error.ts'
import type { WorkerAnswer, WorkerStart } from './embedded-worker.ts'
import { ensureCluster } from './empty-cluster.ts'

export interface EmbeddedPostgres {
  socketPath: string
  /** Of its files. */
  directory: string
  close(): Promise<void>
}

/**
 * PGlite's code, compiled once for all databases of this process, which tests open by the dozen. It never changes, so it
 * is no state that servers share.
 */
let code: Promise<WebAssembly.Module> | undefined

/**
 * Starts PGlite on `dataDir` and locks the directory, because two processes on one directory corrupt the database. A
 * crash of PGlite ends the process.
 * @throws StartupError when the directory is taken or can't be opened as a database
 */
export async function startEmbeddedPostgres(dataDir: string, log: Logger): Promise<EmbeddedPostgres> {
  const lock = takeLock(dataDir)
  // Because of the lock, nobody listens on it.
  const { path: socketPath, remove: removeSocket } = socketPathIn(dataDir, 'pg.sock')

  // The worker loads PGlite's modules while the code is compiled and a new database is unpacked.
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url).href)
  const cleanUp = () => {
    worker.terminate()
    removeSocket()
    lock.release()
  }
  const answer = () =>
    new Promise<WorkerAnswer>((resolve) => {
      worker.onmessage = (event) => resolve(event.data)
      worker.onerror = (event) => resolve({ failed: event.message })
    })
  // Listens before the worker gets its message, because a worker whose modules do not load sends only an error event.
  const opening = answer()

  const database = join(dataDir, 'pg')
  try {
    code ??= compilePglite()
    const [module] = await Promise.all([code, ensureCluster(database)])
    worker.postMessage({ dataDir: database, socketPath, module } satisfies WorkerStart)
    const { failed } = await opening
    if (failed) throw new StartupError(`The embedded database in ${dataDir} does not open: ${failed}`)
  } catch (error) {
    cleanUp()
    throw error
  }
  worker.onerror = ({ message }) => {
    log.fatal({ message }, 'the embedded database crashed')
    process.exit(1)
  }

  return {
    socketPath,
    directory: database,
    async close() {
      worker.postMessage('close')
      await answer()
      cleanUp()
    },
  }
}

async function compilePglite(): Promise<WebAssembly.Module> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'))
  return await WebAssembly.compile(await Bun.file(join(dirname(entry), 'pglite.wasm')).bytes())
}

function takeLock(dataDir: string): FileLock {
  makeDataDir(dataDir)
  let lock: FileLock | undefined
  try {
    lock = acquireFileLock(join(dataDir, 'lock.sqlite'))
  } catch (error) {
    throw unusableDataDir(dataDir, error)
  }
  if (lock) return lock
  throw new StartupError(
    `Another process uses the data directory ${dataDir}. Stop it, or set DATA_DIR to another directory.`,
  )
}
