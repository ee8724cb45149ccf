/**
 * The floor of the measurements of sockets: a bare Bun.serve that sends given frames to all its sockets, one by one, and
 * each frame of a socket on /ws/node to all other sockets.
 */
import type { ServerWebSocket } from 'bun'
import { answer } from '../support/answer.ts'

interface Data {
  node: boolean
}

const watchers = new Set<ServerWebSocket<Data>>()
const server = Bun.serve<Data>({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    const node = new URL(request.url).pathname === '/ws/node'
    if (server.upgrade(request, { data: { node } })) return
    return new Response('not a socket', { status: 400 })
  },
  // Like the server's, except that Bun sends the pings here.
  websocket: {
    maxPayloadLength: 1024 * 1024,
    backpressureLimit: 16 * 1024 * 1024,
    idleTimeout: 120,
    sendPings: true,
    perMessageDeflate: false,
    open(ws) {
      if (!ws.data.node) watchers.add(ws)
      ws.send('{"type":"welcome"}')
    },
    message(_ws, text) {
      for (const watcher of watchers) watcher.send(text)
    },
    close(ws) {
      watchers.delete(ws)
    },
  },
})

const handlers = answer({
  listen: () => server.port!,
  gc: () => Bun.gc(true),
  /** Sends finished frames, one for each of `users` in turn, each to the same number of sockets. */
  async broadcast(frames: string[], users: number) {
    const all = [...watchers]
    const each = all.length / users
    for (const [n, frame] of frames.entries()) {
      const first = (n % users) * each
      for (let i = first; i < first + each; i++) all[i]!.send(frame)
      if ((n + 1) % users === 0) await Bun.sleep(1)
    }
  },
})
export type SocketFloor = typeof handlers
