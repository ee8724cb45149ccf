/** A client that disconnects in the middle of a request leaves only a debug line with status 499 in the log. */
import { afterAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import pino from 'pino'
import { makeUser } from '../support/factories.ts'
import { form, mp4, rawForm, upload } from '../support/files.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'

interface Line {
  level: number
  msg: string
  method?: string
  path?: string
  status?: number
}
const lines: Line[] = []
const log = pino(
  { level: 'debug', base: null },
  { write: (line: string) => void lines.push(JSON.parse(line)) },
)
const server = await startServer({}, { log })
afterAll(() => server.stop())
const { token } = await makeUser(server)

const DEBUG = 20
/** The log lines about a path, and all warnings and errors. */
const about = (path: string) => lines.filter((line) => line.path === path || line.level > 30)

/** Sends the beginning of a request and disconnects. */
async function leave(head: string[], body: Uint8Array | string): Promise<void> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  const fields = ['Host: localhost', `Authorization: Bearer ${token}`, ...head.slice(1)]
  socket.write(`${head[0]} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
  socket.write(body)
  const { promise: sent, resolve } = Promise.withResolvers<void>()
  socket.write('', () => resolve())
  await sent
  await Bun.sleep(50)
  socket.destroy()
}

const JSON_BODY = ['Content-Type: application/json', 'Content-Length: 1000']
const CHUNKED = ['Content-Type: application/json', 'Transfer-Encoding: chunked']
const FORM = ['Content-Type: multipart/form-data; boundary=b', 'Content-Length: 1000000']
const FORM_CHUNKED = ['Content-Type: multipart/form-data; boundary=b', 'Transfer-Encoding: chunked']
const BODY = rawForm('b', mp4(100_000))
const chunk = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

const requests: [string, string, string[], Uint8Array | string][] = [
  ['learning', 'POST /api/v1/auth/login', JSON_BODY, '{"email":'],
  ['learning, in chunks', 'POST /api/v1/auth/register', CHUNKED, '5\r\n{"ema\r\n'],
  ['runtime', 'POST /api/v1/schedule-items', JSON_BODY, '{"title":'],
  ['a stream of the agent', 'POST /api/v1/agent-chats', JSON_BODY, '{"message":'],
  ['both', 'POST /api/tasks', JSON_BODY, '{"task_type":'],
  ['factory', 'PUT /api/users/me', JSON_BODY, ''],
  ['an upload before its file', 'POST /api/v1/upload', FORM, BODY.subarray(0, 60)],
  ['an upload', 'POST /api/v1/upload', FORM, BODY.subarray(0, 50_000)],
  ['an upload in chunks', 'POST /api/v1/upload', FORM_CHUNKED, chunk(BODY.subarray(0, 50_000))],
]

test.each(requests)('%s: a request that is broken off', async (_, request, head, body) => {
  lines.length = 0
  const [method, path] = request.split(' ') as [string, string]
  await leave([request, ...head], body)
  await eventually(() => about(path).length > 0, 'the request is logged')
  expect(about(path)).toEqual([
    expect.objectContaining({ level: DEBUG, msg: 'request', method, path, status: 499 }),
  ])
  expect(JSON.stringify(lines)).not.toContain('stack')
})

/** Sends a request, reads the beginning of the answer, and disconnects. */
function leaveAnswer(request: string, head: string[] = [], body = ''): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.once('data', () => {
    socket.destroy()
    resolve()
  })
  const fields = ['Host: localhost', `Authorization: Bearer ${token}`, ...head]
  socket.write(`${request} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body}`)
  return promise
}

test('an answer that its reader leaves is told at the same level, and once', async () => {
  const answer = await upload(server, token, form(['title', 't'], ['file', mp4(40_000_000), 'a.mp4']))
  const { file_path } = (await answer.json()) as { file_path: string }
  lines.length = 0
  // The log shows no name of a file.
  const path = `/files/${file_path.slice(0, file_path.lastIndexOf('/'))}/…`
  await leaveAnswer(`GET /files/${file_path}`)
  await eventually(() => about(path).length === 2, 'both lines are there')
  expect(about(path)).toEqual([
    expect.objectContaining({ level: 30, msg: 'request', status: 200 }),
    expect.objectContaining({
      level: DEBUG,
      msg: 'the client left before the end of the answer',
      status: 499,
    }),
  ])
  // An answer that the client reads to its end leaves no such line.
  await (await fetch(`${server.url}/files/${file_path}`)).bytes()
  await eventually(() => about(path).length === 3, 'the third line is there')
  await fetch(`${server.url}/health`)
  await eventually(() => about('/health').length > 0, 'a later line is there')
  expect(about(path)).toHaveLength(3)
})

test('a stream of the agent that its reader leaves is no fault', async () => {
  lines.length = 0
  const body = '{"message":"hello"}'
  await leaveAnswer(
    'POST /api/v1/agent-chats',
    ['Accept: text/event-stream', 'Content-Type: application/json', `Content-Length: ${body.length}`],
    body,
  )
  await eventually(() => about('/api/v1/agent-chats').length > 0, 'the request is logged')
  // The run goes on without a reader, and ends.
  await fetch(`${server.url}/health`)
  await eventually(() => about('/health').length > 0, 'a later line is there')
  expect(lines.filter(({ level }) => level > 30)).toEqual([])
})
