/** PGlite off the main thread. The server talks to it through a Unix socket, as to any PostgreSQL. */
import { PGlite } from '@electric-sql/pglite'
import { serveEmbedded } from './embedded-socket.ts'

declare const self: Worker

/**
 * PostgreSQL's own default is 128 MB, and WebAssembly has all of it in memory from the start. What is not in these buffers
 * comes from the kernel's page cache: reading a table of 100 MB takes 8 % longer.
 */
const SHARED_BUFFERS = '32MB'

self.onmessage = async ({ data: start }: MessageEvent<{ dataDir: string; socketPath: string }>) => {
  try {
    const db = await PGlite.create({
      dataDir: start.dataDir,
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`],
    })
    const server = await serveEmbedded(db, start.socketPath)
    self.onmessage = async () => {
      server.close()
      await db.close()
      self.postMessage({ closed: true })
    }
    self.postMessage({ ready: true })
  } catch (error) {
    self.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  }
}
