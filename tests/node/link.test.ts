import { expect, test } from 'bun:test'
import { connect, createServer, type Socket } from 'node:net'
import { eventually } from '../support/process.ts'
import { type FakeServer, TOKEN } from './fake-server.ts'
import { cleanUpAfterEach, fakeServer, keptLog, later, shell, startNode } from './support.ts'

cleanUpAfterEach()

const reconnected = (server: FakeServer, count: number) =>
  server.until(() => server.of('hello').length === count, `hello number ${count}`)

/** A task that goes on when the test removes the file that its progress names. */
const WAIT = `echo '{"progress": 30, "current_item": "half way"}'; echo "$TMPDIR"; while [ -d "$TMPDIR" ] && [ ! -e "$TMPDIR/go" ]; do sleep 0.02; done`

test('after a lost connection the node names what it runs and repeats its progress', async () => {
  const server = fakeServer()
  await startNode(server, { wait: shell(WAIT) })
  await server.frame('heartbeat')
  server.assign('t', 'wait', {}, 4)
  await server.frame('progress', 't')
  const { message: scratch } = await server.frame('log', 't')
  server.closeSocket()
  await reconnected(server, 2)
  expect(server.of('hello')[1]?.running).toEqual([{ task_id: 't', attempt: 4 }])
  const again = await server.frame('progress', 't', 2)
  expect(again).toEqual({
    type: 'progress',
    task_id: 't',
    attempt: 4,
    progress: 30,
    current_item: 'half way',
  })
  await Bun.write(`${scratch}/go`, '')
  await server.frame('completed', 't')
})

test('logs and results from the time without a server arrive when it is back', async () => {
  const server = fakeServer()
  await startNode(server, { wait: shell(`${WAIT}; echo after; echo '{"result": {"n": 1}}'`) })
  await server.frame('heartbeat')
  server.assign('t', 'wait')
  const { message: scratch } = await server.frame('log', 't')
  server.refuse = 503
  server.closeSocket()
  await Bun.write(`${scratch}/go`, '')
  await Bun.sleep(100)
  server.refuse = undefined
  await reconnected(server, 2)
  expect(server.of('hello')[1]?.running).toEqual([{ task_id: 't', attempt: 1 }])
  expect(await server.frame('completed', 't')).toMatchObject({ result: { n: 1 } })
  expect(server.of('log', 't').at(-1)?.message).toBe('after')
})

test('a result that was not acknowledged is repeated at once after a reconnect', async () => {
  const server = fakeServer({ ack: false })
  await startNode(server, { quick: shell('exit 0') }, { repeatResultsMs: 60_000 })
  await server.frame('heartbeat')
  server.assign('t', 'quick')
  await server.frame('completed', 't')
  server.closeSocket()
  await server.frame('completed', 't', 2)
  expect(server.of('hello')[1]?.running).toEqual([{ task_id: 't', attempt: 1 }])
})

test('the node waits as long as a restarting server asked', async () => {
  const server = fakeServer()
  await startNode(server, {})
  await server.frame('heartbeat')
  server.send({ type: 'draining', reconnect_after_ms: 600 })
  const left = performance.now()
  server.closeSocket(1012)
  await reconnected(server, 2)
  expect(performance.now() - left).toBeGreaterThan(590)
})

test('a drain lasts until the next welcome, on this connection or another', async () => {
  const server = fakeServer()
  await startNode(server, { quick: shell('exit 0') })
  await server.frame('heartbeat')
  server.send({ type: 'drain' })
  server.assign('a', 'quick')
  await server.frame('reject', 'a')
  server.send({ type: 'welcome', server_id: 'fake', heartbeat_seconds: 0.2 })
  server.assign('a', 'quick', {}, 2)
  await server.frame('completed', 'a')
  server.send({ type: 'drain' })
  server.closeSocket()
  await reconnected(server, 2)
  server.assign('b', 'quick')
  await server.frame('completed', 'b')
})

test('unknown and invalid frames are ignored', async () => {
  const server = fakeServer()
  await startNode(server, { quick: shell('exit 0') })
  await server.frame('heartbeat')
  const send = (frame: unknown) => server.send(frame as Parameters<typeof server.send>[0])
  send({ type: 'news', from: 'the future' })
  send({
    type: 'assign',
    task_id: 'x',
    attempt: 'one',
    task_type: 'quick',
    config: {},
    estimated_duration: null,
  })
  send(null)
  server.assign('b', 'quick')
  await server.frame('completed', 'b')
  expect(server.connections).toBe(1)
  expect(server.of('accept', 'x')).toEqual([])
})

test('a silent connection is given up', async () => {
  const server = fakeServer({ heartbeatSeconds: 0.4 })
  const sockets = new Set<Socket>()
  const silenced = new Set<Socket>()
  const proxy = createServer((inside) => {
    const outside = connect(Number(new URL(server.url).port), '127.0.0.1')
    sockets.add(inside).add(outside)
    inside.on('data', (bytes) => silenced.has(inside) || outside.write(bytes))
    outside.on('data', (bytes) => silenced.has(inside) || inside.write(bytes))
    for (const socket of [inside, outside]) socket.on('error', () => {})
    inside.on('close', () => outside.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  later(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const { port } = proxy.address() as { port: number }
  await startNode(server, {}, { socketUrl: `ws://127.0.0.1:${port}/ws/node` })
  // Only pongs keep the connection: this server sends nothing after its `welcome`.
  await server.frame('heartbeat', undefined, 4)
  expect(server.connections).toBe(1)
  for (const socket of sockets) silenced.add(socket)
  await reconnected(server, 2)
})

test.each([401, 403])('HTTP %d ends the node', async (status) => {
  const server = fakeServer({ refuse: status })
  const refused = Promise.withResolvers<string>()
  await startNode(server, {}, { onRefused: refused.resolve })
  expect(await refused.promise).toContain(`HTTP ${status}`)
})

test.each([4401, 4403])('close code %d ends the node', async (code) => {
  const server = fakeServer()
  const refused = Promise.withResolvers<string>()
  await startNode(server, {}, { onRefused: refused.resolve })
  await server.frame('heartbeat')
  server.closeSocket(code)
  expect(await refused.promise).toContain(String(code))
})

test('the node tries again until a server answers, and the log never shows the token', async () => {
  const server = fakeServer({ refuse: 502 })
  const lines: string[] = []
  const keep = (message: string) => lines.push(message)
  await startNode(server, {}, {}, { info: keep, warn: keep, error: keep })
  await server.until(() => lines.some((line) => line.includes('HTTP 502')), 'log line')
  server.refuse = undefined
  await server.frame('heartbeat')
  expect(lines.join('\n')).toContain(`connected to ${server.url} as gpu-01 (0 GPUs)`)
  expect(lines.join('\n')).not.toContain(TOKEN)
})

const listening = async (greeting: string | undefined) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (greeting === undefined) socket.end()
    else socket.write(greeting)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(() => server.close())
  return (server.address() as { port: number }).port
}
const answering = (status: number) => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('no', { status }) })
  later(() => server.stop(true))
  return server.port
}

const WRONG: [string, () => Promise<string> | string, RegExp][] = [
  [
    'a port where nothing listens',
    () => 'http://127.0.0.1:1',
    /connection refused: nothing listens on port 1 of 127\.0\.0\.1/,
  ],
  ['a host that is not there', () => 'http://nowhere.invalid', /no host is named nowhere\.invalid/],
  [
    'a path',
    () => `http://127.0.0.1:${answering(404)}/roost`,
    /\/roost\/ws\/node answered HTTP 404: there is no Roost server/,
  ],
  [
    'another web server',
    () => `http://127.0.0.1:${answering(200)}`,
    /answered HTTP 200: there is no Roost server/,
  ],
  ['a redirect', () => `http://127.0.0.1:${answering(301)}`, /answered HTTP 301: it redirects/],
  ['https for http', () => `https://127.0.0.1:${answering(404)}`, /speaks no TLS: use http:\/\//],
  [
    'a port of something else',
    async () => `http://127.0.0.1:${await listening('SSH-2.0-OpenSSH_9\r\n')}`,
    /speaks no HTTP/,
  ],
  [
    'a port that closes',
    async () => `http://127.0.0.1:${await listening(undefined)}`,
    /closes connections without an answer/,
  ],
]

test.each(WRONG)('a wrong URL is named, with what is wrong: %s', async (_, url, why) => {
  const server = await url()
  const { log, lines } = keptLog()
  const socketUrl = `${server.replace('http', 'ws')}/ws/node`
  await startNode(fakeServer(), {}, { server, socketUrl }, log)
  await eventually(() => lines.some((line) => line.startsWith('warn')), 'a warning in the log')
  expect(lines).toContain(`info connecting to ${server} as gpu-01`)
  const [warning = ''] = lines.filter((line) => line.startsWith('warn'))
  expect(warning).toContain(server)
  expect(warning).toMatch(why)
  expect(warning).toMatch(/; next try in [\d.]+ s$/)
})
