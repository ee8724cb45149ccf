/**
 * PGlite in a worker, behind a Unix socket that speaks PostgreSQL's protocol. PGlite is one PostgreSQL backend, and its
 * socket server interleaves the extended queries of several connections: exactly one client may connect.
 */
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

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
    const server = new PGLiteSocketServer({ db, path: start.socketPath, maxConnections: 1 })
    await server.start()
    self.onmessage = async () => {
      await server.stop()
      await db.close()
      self.postMessage({ closed: true })
    }
    self.postMessage({ ready: true })
  } catch (error) {
    self.postMessage({ failed: error instanceof Error ? error.message : String(error) })
  }
}
