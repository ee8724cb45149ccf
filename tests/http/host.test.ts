/** No value of the Host header ends the process or changes an answer. */

import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { startServer } from '../support/server.ts'

// With the request log, because it reads the URL after the answer.
const server = await startServer({ LOG_LEVEL: 'info' })
afterAll(() => server.stop())

/** Sends the text of a request unchanged, on a new connection. */
function send(...lines: string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let answer = ''
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('close', () => resolve(answer))
  socket.on('error', reject)
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  return promise
}

describe.each([
  ['none, as HTTP/1.0 may', '1.0', []],
  ['an empty one', '1.1', ['Host:']],
  ...['a b', '[', 'x:99999999', 'ex%ample', 'localhost:8000@evil', 'x/y?z#'].map(
    (host) => [JSON.stringify(host), '1.1', [`Host: ${host}`]] as [string, string, string[]],
  ),
] as [string, string, string[]][])('a request whose Host is %s', (_what, version, host) => {
  const get = (path: string, ...more: string[]) => send(`GET ${path} HTTP/${version}`, ...host, ...more)

  test('is answered as any other, and so is the next one', async () => {
    expect(await get('/health')).toContain(' 200 ')
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })

  test('gets errors in the form of its contract', async () => {
    const learning = await get('/api/v1/auth/me')
    expect(learning).toContain(' 401 ')
    expect(learning).toContain('"code":"UNAUTHORIZED"')
    const factory = await get('/api/users/me?x=1')
    expect(factory).toContain(' 401 ')
    expect(factory).toContain('"success":false')
    expect(await get('/api/nothing/here')).toContain(' 404 ')
    expect(await get('//[/x')).toContain(' 404 ')
  })

  test('may try to open a socket', async () => {
    const upgrade = [
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const answer = await Promise.race([
      get('/ws/connect?token=x', ...upgrade),
      Bun.sleep(1000).then(() => 'open'),
    ])
    expect(answer).not.toContain(' 500 ')
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })
})

test('a host with a short name has the same paths', async () => {
  for (const host of ['x', 'web', 'x:8']) {
    expect(await send('GET /nope/health HTTP/1.1', `Host: ${host}`)).toContain(' 404 ')
    const file = await send('GET /files/thumbnails/2/1.jpg HTTP/1.1', `Host: ${host}`)
    expect(file).toContain(' 404 ')
    expect(await send('GET /api/v1/infra/health HTTP/1.1', `Host: ${host}`)).toContain('"database"')
  }
})
