/**
 * PGlite off the main thread, spoken to through a Unix socket like any PostgreSQL. It is one backend, and its
 * socket server interleaves the extended queries of several connections: exactly one may connect.
 */
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

declare const self: Worker

self.onmessage = async ({ data: start }: MessageEvent<{ dataDir: string; socketPath: string }>) => {
  try {
    const db = await PGlite.create({ dataDir: start.dataDir })
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
