/**
 * The floor of everything about sockets: a bare Bun.serve that sends what it is told to all its sockets, one by one,
 * and what a socket on /ws/node says to all the others.
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
  // As the server's own.
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
  /** `text` to every socket, `rounds` times. */
  async broadcast(text: string, rounds: number) {
    for (let round = 0; round < rounds; round++) {
      for (const watcher of watchers) watcher.send(text)
      await Bun.sleep(1)
    }
  },
})
export type SocketFloor = typeof handlers
