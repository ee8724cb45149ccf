import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { neverIdle } from '../../src/http/idle.ts'

/** The status of the answer to a body that is sent byte by byte for ten seconds; `cut` when the server hangs up. */
async function sendSlowly(port: number): Promise<number | 'cut'> {
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<number | 'cut'>()
  socket.on('error', () => {})
  socket.on('close', () => resolve('cut'))
  socket.once('data', (answer) => resolve(Number(answer.toString('latin1', 9, 12))))
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n')
  for (let sent = 0; sent < 20; sent++) {
    await Bun.sleep(500)
    socket.write('x')
  }
  const answer = await promise
  socket.destroy()
  return answer
}

test('a slow body is not taken for an idle connection', async () => {
  using server = Bun.serve({
    port: 0,
    idleTimeout: 1,
    fetch: (request, server) => neverIdle(server, request, async () => new Response(await request.text())),
  })
  expect(await sendSlowly(server.port!)).toBe(200)
}, 30_000)

test('afterwards the connection can be idle again', async () => {
  const calls: number[] = []
  const server = { timeout: (_: Request, seconds: number) => void calls.push(seconds) }
  const request = new Request('http://x/')
  const reading = neverIdle(server, request, async () => {
    expect(calls).toEqual([0])
    throw new Error('broken')
  })
  await expect(reading).rejects.toThrow('broken')
  expect(calls).toEqual([0, 60])
})
