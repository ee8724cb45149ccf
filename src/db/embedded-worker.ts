/** PGlite off the main thread. The server talks to it through a Unix socket, as to any PostgreSQL. */
import { PGlite } from '@electric-sql/pglite'
import { serveEmbedded } from './embedded-socket.ts'

/** The first message to the worker. */
export interface WorkerStart {
  dataDir: string
  socketPath: string
  /** pglite.wasm. */
  module: WebAssembly.Module
}

/** After the start, and after the second message, which closes the database. */
export interface WorkerAnswer {
  failed?: string
}

declare const self: Worker

/**
 * PostgreSQL's own default is 128 MB, and WebAssembly has all of it in memory from the start. What is not in these buffers
 * comes from the kernel's page cache: reading a table of 100 MB takes 8 % longer.
 */
const SHARED_BUFFERS = '32MB'

const answer = (message: WorkerAnswer) => self.postMessage(message)

self.onmessage = async ({ data: start }: MessageEvent<WorkerStart>) => {
  try {
    const db = await PGlite.create({
      dataDir: start.dataDir,
      pgliteWasmModule: start.module,
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`],
    })
    const stop = await serveEmbedded(db, start.socketPath)
    self.onmessage = async () => {
      stop()
      await db.close()
      answer({})
    }
    answer({})
  } catch (error) {
    answer({ failed: error instanceof Error ? error.message : String(error) })
  }
}
