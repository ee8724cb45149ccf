import { expect, spyOn, test } from 'bun:test'
import { closeSocket } from '../../src/live/close-socket.ts'
import { eventually } from '../support/process.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'

test('the close frame follows the frames that wait; an end that does not read them loses its connection', async () => {
  const opened: Bun.ServerWebSocket<undefined>[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, server) => void server.upgrade(request, { data: undefined }),
    websocket: { open: (ws) => void opened.push(ws), message() {} },
  })
  /** A client that has not read yet, with more frames on their way to it than the network takes. */
  const openPaused = async () => {
    const closed = Promise.withResolvers<number | undefined>()
    let frames = 0
    const client = new RawWebSocket(`ws://127.0.0.1:${server.port}`, {
      text: () => void frames++,
      closed: closed.resolve,
    })
    client.pause()
    const ws = await eventually(() => opened.shift(), 'the socket')
    let sent = 0
    for (; ws.getBufferedAmount() === 0; sent++) ws.send('x'.repeat(100_000))
    const read = async () => {
      client.resume()
      return { code: await closed.promise, frames }
    }
    return { ws, sent, read }
  }

  const reader = await openPaused()
  closeSocket(reader.ws, 4508, 'too slow')
  expect(await reader.read()).toEqual({ code: 4508, frames: reader.sent })

  const stalled = await openPaused()
  const terminate = spyOn(stalled.ws, 'terminate')
  closeSocket(stalled.ws, 4508, 'too slow', 1)
  await eventually(() => terminate.mock.calls.length > 0, 'the end of the grace time')
  const { code, frames } = await stalled.read()
  expect(code).toBeUndefined()
  expect(frames).toBeLessThan(stalled.sent)
  await server.stop(true)
})
