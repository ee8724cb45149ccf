import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { Elysia } from 'elysia'
import { streamedFile } from '../../src/http/streamed-file.ts'
import { eventually } from '../support/process.ts'

test.each(['identity', 'gzip'])(
  'a client that stops reading gets no more made (%s), and the idle limit ends its answer',
  async (encoding) => {
    const PIECES = 2000
    let made = 0
    let ended = false
    async function* source() {
      try {
        // Random, so that it stays as large when it is compressed.
        for (; made < PIECES; made++)
          yield Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('hex')
      } finally {
        ended = true
      }
    }
    const file = { fileName: 'x.txt', contentType: 'text/plain' }
    const app = new Elysia({ serve: { idleTimeout: 1 } })
      .get('/', (call) => streamedFile(call, file, source()))
      .listen(0)
    const socket = connect(app.server!.port!, '127.0.0.1')
    socket.on('error', () => {})
    socket.once('data', () => socket.pause())
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\n\r\n`)
    await eventually(() => ended, 'the server ends the answer', 20_000)
    // What the buffers of the connection hold, and some.
    expect(made).toBeLessThan(PIECES / 4)
    socket.destroy()
    await app.stop(true)
  },
)
