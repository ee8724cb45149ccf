/** No header of any form, on any route, causes a 500 or a line of an error in the log. */
import { afterAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import pino from 'pino'
import { fill, mountedRoutes } from '../support/described.ts'
import { makeUser } from '../support/factories.ts'
import { rawForm } from '../support/files.ts'
import { ODD_HEADERS, oddHeaders } from '../support/odd-headers.ts'
import { Random } from '../support/random.ts'
import { startServer } from '../support/server.ts'

const ERROR = 50
const errors: string[] = []
const log = pino(
  { level: 'info', base: null },
  { write: (line: string) => void (JSON.parse(line).level >= ERROR && errors.push(line)) },
)
const server = await startServer({ ALLOWED_ORIGINS: 'https://app.example.com' }, { log })
afterAll(() => server.stop())
const port = Number(new URL(server.url).port)

type Field = [name: string, value: string]

/** A form with a file that the server refuses, because the server would make a thumbnail of each one that it accepts. */
const FORM = rawForm('b', Buffer.from('no video')).toString('latin1')

/** The bytes that the server sends before it closes the connection, or before a time limit. */
function send(request: string, fields: Field[], body: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  const over = () => {
    clearTimeout(patience)
    socket.destroy()
    resolve(answer)
  }
  const patience = setTimeout(over, 1000)
  socket.on('data', (data) => {
    answer += data.toString('latin1')
    // A stream or an open socket does not end by itself.
    if (answer.includes('\r\n\r\n')) over()
  })
  socket.on('error', over)
  socket.on('close', over)
  const lines = fields.map(([name, value]) => `${name}: ${value}`)
  socket.write(Buffer.from(`${[`${request} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  // A header may announce a longer body than this one, and the server would wait for the rest.
  if (fields.some(([name]) => /content-length|transfer-encoding|expect/.test(name))) {
    setTimeout(() => socket.end(), 20)
  }
  return promise
}

/** A request with these header fields, which add to or replace those of an ordinary client. */
function ask(method: string, path: string, token: string, odd: Field[]): Promise<string> {
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method)
  const isUpload = path === '/api/v1/upload'
  const body = !hasBody ? '' : isUpload ? FORM : '{"title":"x"}'
  const good: Field[] = [
    ['host', 'localhost'],
    ['authorization', `Bearer ${token}`],
    ['connection', 'close'],
  ]
  if (hasBody) {
    good.push(['content-type', isUpload ? 'multipart/form-data; boundary=b' : 'application/json'])
    good.push(['content-length', String(body.length)])
  }
  const named = new Set(odd.map(([name]) => name))
  return send(`${method} ${path}`, [...good.filter(([name]) => !named.has(name)), ...odd], body)
}

async function expectNoFault(method: string, path: string, token: string, odd: Field[]): Promise<void> {
  const answer = await ask(method, path, token, odd)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
  const told = `${method} ${path} ${JSON.stringify(odd).slice(0, 300)}: ${answer.slice(0, 300)}`
  // 501: a transfer coding that the HTTP parser does not know.
  expect(status < 500 || status === 501 || status === 505, told).toBe(true)
  expect(errors.splice(0), told).toEqual([])
}

/** Every method and path once, with sockets, stored files and unmatched paths. */
const targets = [
  ...mountedRoutes().map(({ method, path }) => [method, path] as const),
  ...(['GET', 'POST', 'OPTIONS', 'HEAD'] as const).flatMap((method) =>
    ['/', '/nowhere', '/api/nowhere', '/api/v1/nowhere', '/v1/nowhere'].map(
      (path) => [method, path] as const,
    ),
  ),
].filter(([method]) => /^[A-Z]+$/.test(method))
const addressOf = (path: string, id: string) => fill(path, id).replace('*', 'materials/1/a.mp4')

test('every odd field, on a route of each kind', async () => {
  const { token } = await makeUser(server, { role: 'super_admin' })
  const kinds = [
    ['POST', '/api/v1/upload'],
    ['GET', '/files/materials/1/a.mp4'],
    ['POST', '/api/tasks'],
    ['GET', '/ws/connect'],
  ] as const
  for (const [name, values] of Object.entries(ODD_HEADERS)) {
    const requests = values.flatMap((value) => kinds.map((kind) => [...kind, value] as const))
    await Promise.all(
      requests.map(([method, path, value]) => expectNoFault(method, path, token, [[name, value]])),
    )
  }
}, 120_000)

test('several odd fields at once, on every route', async () => {
  const random = Random.announced('odd headers')
  expect(targets.length).toBeGreaterThan(60)
  for (const [method, path] of targets) {
    // Some routes end the session.
    const { token } = await makeUser(server, { role: 'super_admin' })
    const tries = Array.from({ length: 12 }, () => oddHeaders(random))
    const address = addressOf(path, random.pick(['1', '999999', '01920000-0000-7000-8000-000000000000']))
    await Promise.all(tries.map((odd) => expectNoFault(method, address, token, odd)))
  }
}, 120_000)
