/** Sockets that open, read the `welcome`, and never read again. */
import type { Socket } from 'bun'
import { answer } from '../support/answer.ts'

let sockets: Socket[] = []
let closed = 0

const handlers = answer({
  async open(port: number, tokens: string[], each: number) {
    closed = 0
    const wanted = tokens.flatMap((token) => Array<string>(each).fill(token))
    sockets = await Promise.all(wanted.map((token) => openOne(port, token)))
  },
  close() {
    if (closed > 0) throw new Error(`${closed} of the stalled sockets were closed before their time`)
    for (const socket of sockets) socket.terminate()
    sockets = []
  },
})
export type StalledClient = typeof handlers

async function openOne(port: number, token: string): Promise<Socket> {
  const welcomed = Promise.withResolvers<void>()
  let text = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(socket, chunk) {
        text += chunk.toString('latin1')
        if (!text.includes('"welcome"')) return
        socket.pause()
        welcomed.resolve()
      },
      close() {
        closed++
      },
    },
  })
  socket.write(
    [
      `GET /ws/connect?token=${token} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${crypto.getRandomValues(Buffer.alloc(16)).toString('base64')}`,
      '\r\n',
    ].join('\r\n'),
  )
  await welcomed.promise
  return socket
}
