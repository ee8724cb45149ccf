/** PGlite off the main thread. The server talks to it through a Unix socket, as to any PostgreSQL. */
import { PGlite } from '@electric-sql/pglite'
import { type CopiedAhead, copyRest } from './copy-cluster.ts'
import { serveEmbedded } from './embedded-socket.ts'

/** The first message to the worker. */
export interface WorkerStart {
  dataDir: string
  socketPath: string
  /** pglite.wasm. */
  module: WebAssembly.Module
}

/** Every later message. The worker closes the database after `close`. */
export type WorkerOrder = 'close' | { copyTo: string; ahead: CopiedAhead }

/** The worker answers each message once, in their order. */
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
    self.onmessage = async ({ data: order }: MessageEvent<WorkerOrder>) => {
      if (order !== 'close') return copyTo(start.dataDir, order)
      stop()
      await db.close()
      answer({})
    }
    answer({})
  } catch (error) {
    answer({ failed: messageOf(error) })
  }
}

/** Between two statements, because this thread runs them. A transaction that is open is not in the copy. */
function copyTo(dataDir: string, { copyTo, ahead }: Exclude<WorkerOrder, 'close'>): void {
  try {
    copyRest(dataDir, copyTo, ahead)
    answer({})
  } catch (error) {
    answer({ failed: messageOf(error) })
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
