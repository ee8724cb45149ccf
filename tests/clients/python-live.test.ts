/** Roost's client for Python (`clients/python`), installed as a user does, on running servers. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TaskDetail } from '../../src/contracts/factory/tasks/models.ts'
import { SystemLog } from '../../src/core/logs/system-log.ts'
import { Metrics } from '../../src/core/metrics.ts'
import { transaction } from '../../src/core/transaction.ts'
import { Page } from '../../src/http/models.ts'
import { EVENTS } from '../../src/protocol/live/events.ts'
import { createLogger } from '../../src/util/logger.ts'
import { api } from '../support/api.ts'
import { makeNode, makeTask, makeUser, signInAgain, type TestUser, unique } from '../support/factories.ts'
import { eventually, NodeProcess, Program, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { startServer } from '../support/server.ts'
import { openLive } from '../support/sockets.ts'
import { MeddlingProxy } from './meddling-proxy.ts'
import { installClient, pythonPrograms } from './python-environment.ts'
import { run } from './run.ts'

const CLIENT = join(import.meta.dir, '../../clients/python')
const folder = mkdtempSync(join(tmpdir(), 'roost-python-live-'))
const modules = join(folder, 'modules')
const server = await startServer()
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

let bin: string
beforeAll(async () => {
  bin = await pythonPrograms()
  await installClient(modules)
})

const env = { ...process.env, PYTHONPATH: modules }
const script = (name: string) => join(import.meta.dir, 'live', name)
const python = (name: string, ...args: string[]) =>
  run([join(bin, 'python'), script(name), ...args], { cwd: folder, env })

/** A script that runs beside the test and prints JSON lines. */
class Script implements AsyncDisposable {
  private readonly out = join(folder, unique('out'))
  private readonly program: Program

  constructor(name: string, ...args: string[]) {
    this.program = new Program(
      [join(bin, 'python'), script(name), ...args],
      { PYTHONPATH: modules },
      this.out,
    )
    this.program.launch()
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  get lines(): any[] {
    return this.program.output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
  }

  get log(): string {
    return this.program.output
  }

  shows = (what: (line: ReturnType<typeof JSON.parse>) => boolean) =>
    eventually(
      () => this.lines.find(what),
      () => `the line; printed was ${this.log}`,
    )

  connected = (status = 'live') => this.shows((line) => line.status === status)

  async end(): Promise<void> {
    expect(await this.program.exited, this.log).toBe(0)
  }

  [Symbol.asyncDispose] = () => this.program.kill()
}

const follow = (url: string, user: { token: string }, last: string, cursors = unique('cursor')) =>
  new Script('follow.py', url, user.token, join(folder, cursors), last)

const titles = (lines: { type?: string; data: { title: string } }[]) =>
  lines.filter(({ type }) => type === 'task.created').map(({ data }) => data.title)

const createOver = async (url: string, token: string, title: string) => {
  const { status } = await api({ url }, 'POST', '/api/tasks', { token, body: { title, task_type: 'test' } })
  expect(status).toBe(201)
}

test('events, tasks and pages have the fields of the protocol', async () => {
  const fieldsOf = (schema: { properties: object; required?: string[] }) => {
    const required = schema.required ?? []
    const optional = Object.keys(schema.properties).filter((name) => !required.includes(name))
    return { required: required.toSorted(), optional: optional.sort() }
  }
  expect(JSON.parse(await python('fields.py'))).toEqual({
    events: Object.fromEntries(Object.entries(EVENTS).map(([type, schema]) => [type, fieldsOf(schema)])),
    task: fieldsOf(TaskDetail),
    page: fieldsOf(Page(TaskDetail)),
  })
})

test('the package and what type checkers tell of it pass mypy', async () => {
  const config = join(CLIENT, 'pyproject.toml')
  const cache = join(folder, 'mypy')
  await run([join(bin, 'mypy'), '--config-file', config, '--cache-dir', cache, join(CLIENT, 'src')])
  await run([join(bin, 'mypy'), '--config-file', config, '--cache-dir', cache, script('typed.py')], { env })
})

test('the example of the README runs', async () => {
  const [, example] = /```python\n([\s\S]*?)```/.exec(readFileSync(join(CLIENT, 'README.md'), 'utf8'))!
  await Bun.write(join(folder, 'example.py'), example!)
  const body = { email: 'mei@example.com', password: 'secret1' }
  await api(server, 'POST', '/api/auth/register', { body })
  const { node, token } = await makeNode(server)
  await using _ = new NodeProcess(server, token, node.name)
  const output = await run([join(bin, 'python'), 'example.py'], {
    cwd: folder,
    env: { ...env, ROOST_URL: server.url },
  })
  // The handler and the program print independently of each other.
  const lines = output.split('\n').map((line) => line.replace(/ \d{4}-.*/, ''))
  expect(lines.sort()).toEqual([
    '',
    'INFO running 4 steps in 2 seconds',
    "completed {'steps': 4, 'duration_seconds': 2}",
    ...['task.completed', 'task.created', 'task.started'],
  ])
})

test('tasks run, and their numbers, lines and errors arrive', async () => {
  const { node, token } = await makeNode(server)
  await using _ = new NodeProcess(server, token, node.name)
  const user = await makeUser(server)
  expect(JSON.parse(await python('tasks.py', server.url, user.token))).toEqual({
    made: ['pending', 3, true],
    lines: ['running 2 steps in 0.2 seconds'],
    done: ['completed', 2],
    cancelled: ['cancelled', 'cancelled', 'pending', 1],
    failed: ['failed', 'as asked (exit code 1)', 'reported'],
    state: ['task_update', 100],
    refused: [
      [404, 'RESOURCE_NOT_FOUND'],
      [422, 'VALIDATION_ERROR'],
      [400, 'UNKNOWN_TOPIC'],
      [404, 'RESOURCE_NOT_FOUND'],
    ],
  })
})

test('every kind of topic can be watched, in any case', async () => {
  const admin = await makeUser(server, { role: 'admin' })
  const { uuid } = await makeTask(server, admin)
  const task = uuid.toUpperCase()
  const topics = ['system:overview', 'system:log', 'GPU:cluster', `task:${task}`, `task_status:${task}`]
  await using script = new Script('watch.py', server.url, admin.token, ...topics)
  await script.connected()
  const { db, config } = server.ctx
  const log = createLogger('info', { write: () => {} })
  const stored = new SystemLog({ db, config, log, metrics: new Metrics() })
  const typesOf = (topic: string) =>
    script.lines.filter((line) => line.topic === topic).map(({ type }) => type)
  await eventually(async () => {
    log.info('a line')
    await stored.flush()
    return typesOf('system:log').length >= 2 && typesOf('system:overview').length >= 2
  }, 'lines and figures')
  stored.close()
  await eventually(async () => {
    await makeNode(server)
    return typesOf('GPU:cluster').length >= 2
  }, 'the cluster')
  await script.end()
  expect(topics.map((topic) => typesOf(topic)[0])).toEqual([
    'system_update',
    'system_log',
    'gpu_cluster',
    'task_update',
    'task_status',
  ])
})

test('a session is kept, renewed and ended', async () => {
  const { user, password } = await makeUser(server)
  const output = await python('session.py', server.url, user.email, password, join(folder, 'session'))
  const [wrong, answer] = output.trim().split('\n')
  expect(JSON.parse(wrong!)).toEqual({ wrong: [401, 'INVALID_CREDENTIALS'] })
  expect(JSON.parse(answer!)).toEqual({
    nothing: [null, null, null],
    valid: true,
    renewals: [1, true],
    expired: true,
    shared: true,
    signed_out: [4403, 'signed-out'],
    afterwards: expect.any(String),
    token: 'SESSION_ENDED',
    kept: null,
  })
})

test('what goes wrong is said, and ends no more than it has to', async () => {
  const { user, password } = await makeUser(server)
  let lost = 0
  let visits = 0
  const thief = Bun.serve({ port: 0, fetch: () => new Response(`${visits++}`) })
  const proxy = Bun.serve({
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/moved/ws/connect')
        return new Response(null, {
          status: 302,
          headers: { location: thief.url.href.replace('http', 'ws') },
        })
      if (pathname.startsWith('/moved/')) return Response.redirect(`${server.url}/`, 301)
      const answer = await fetch(new URL(pathname, server.url), request)
      // The server has replaced the refresh token; the client does not learn the new one.
      return pathname.endsWith('/refresh') && lost++ === 0 ? new Response(null, { status: 504 }) : answer
    },
  })
  const output = await python('troubles.py', server.url, proxy.url.href, user.email, password)
  await proxy.stop(true)
  await thief.stop(true)
  expect(visits).toBe(0)
  expect(JSON.parse(output)).toEqual({
    no_url: ['ValueError', 'ValueError'],
    moved: [301, `${server.url}/`, 'REDIRECTED'],
    not_here: 404,
    away: 1,
    renewed: [true, true],
    unwritable: ['live', 'live'],
    closed: ['closed', ['task.created']],
  })
  expect(lost).toBe(2)
})

test('a session leaves alone that of another user in its store, and ends also when the store fails', async () => {
  const { user, password } = await makeUser(server)
  const { user: other } = await makeUser(server)
  const output = await python('store.py', server.url, password, user.email, other.email)
  expect(JSON.parse(output)).toEqual({
    signed_out: [false, true, true],
    renewed: ['SESSION_ENDED', true, true],
    meanwhile: ['SESSION_ENDED', true],
    unreadable: [false, 'SESSION_ENDED', ['no permission']],
  })
})

test('a failing token function, pages of a proxy and a server that asks to wait are no end', async () => {
  const user = await makeUser(server)
  const [proxy, away] = [0, 1].map((seed) => new MeddlingProxy(server.url, new Random(seed)))
  const full = await makeUser(server)
  const sockets = await Promise.all(Array.from({ length: 20 }, () => openLive(server, full.token)))
  const pages = [
    new Response('<p>Sign in to this network'),
    new Response('no backend', { status: 404 }),
    Response.json({}),
  ]
  proxy!.instead = (path) => (path === '/api/events' ? pages.shift() : undefined)
  let refusals = 2
  away!.instead = () =>
    refusals-- > 0 ? new Response(null, { status: 503, headers: { 'retry-after': '1' } }) : undefined
  const numbers = [...Array.from({ length: 40 }, (_, n) => String(n)), 'last']
  await using script = new Script(
    'patience.py',
    proxy!.url,
    away!.url,
    ...[user.token, full.token],
    String(numbers.length),
  )
  await script.connected()
  await transaction(server.ctx, async (tx) => {
    for (const number of numbers) tx.emit(user.user.id, 'user.updated', { fields: [number] } as never)
  })
  await script.end()
  expect(script.lines.slice(1)).toEqual([
    { numbers, failures: ['no network'] },
    { back: 'live' },
    { signed_out: ['INVALID_CREDENTIALS', 'INVALID_CREDENTIALS'] },
    { full: expect.stringContaining('trying again: TOO_MUCH') },
  ])
  expect(pages).toEqual([])
  for (const socket of sockets) socket.close()
  await Promise.all([proxy!.stop(), away!.stop()])
}, 60_000)

test('a killed server costs no event, and a new start goes on behind the last one', async () => {
  await using other = await ServerProcess.start()
  const body = { email: 'mei@example.com', password: 'secret1' }
  const made = await api(other, 'POST', '/api/auth/register', { body })
  const token: string = made.body.access_token
  const wanted = ['one', 'two', 'last']
  {
    await using script = follow(other.url, { token }, 'last', 'killed')
    await script.connected()
    for (const title of wanted) {
      await createOver(other.url, token, title)
      // Whether the server dies before or after it has sent the event is chance.
      if (title !== 'last') await other.restart()
    }
    await script.end()
    expect(titles(script.lines)).toEqual(wanted)
    expect(script.lines.at(-1)).toEqual({ handled: wanted })
  }
  await createOver(other.url, token, 'meanwhile')
  await using script = follow(other.url, { token }, 'meanwhile', 'killed')
  await script.end()
  expect(titles(script.lines)).toEqual(['meanwhile'])
}, 120_000)

test('events that a proxy repeats, swallows and cuts arrive once, in order', async () => {
  const proxy = new MeddlingProxy(server.url, Random.announced('a meddling proxy'))
  proxy.meddles = true
  const user = await makeUser(server)
  await using script = follow(proxy.url, user, 'last')
  await script.connected()
  const wanted: string[] = []
  while (proxy.done.repeated < 2 || proxy.done.swallowed < 2 || proxy.done.cut < 1) {
    wanted.push((await makeTask(server, user)).title)
    // An event after a swallowed one shows that one is missing, and the proxy never swallows two in a row.
    await eventually(() => titles(script.lines).length >= wanted.length - 2, 'events')
  }
  proxy.meddles = false
  await eventually(() => titles(script.lines).length === wanted.length, 'all events')
  // No later event shows that the last one is missing.
  proxy.swallowsNext = true
  await makeTask(server, user, { title: 'last' })
  await script.end()
  expect(titles(script.lines)).toEqual([...wanted, 'last'])
  await proxy.stop()
}, 120_000)

test('where upgrades are blocked, events come by long polls, and over a socket when they no longer are', async () => {
  const proxy = new MeddlingProxy(server.url, new Random(1))
  proxy.blocked = true
  const user = await makeUser(server)
  await using script = follow(proxy.url, user, 'last')
  await script.connected('polling')
  const first = await makeTask(server, user)
  await script.shows(({ data, status }) => data?.title === first.title && status === 'polling')
  await eventually(() => proxy.done.blocked > 1, 'the next try')
  proxy.blocked = false
  await eventually(
    () => (server.ctx.live.hub.channels.find(user.user.id)?.connections.size ?? 0) > 0,
    'a socket',
  )
  await makeTask(server, user, { title: 'last' })
  await script.end()
  expect(titles(script.lines)).toEqual([first.title, 'last'])
  expect(script.lines.at(-2).status).toBe('live')
  await proxy.stop()
})

test('a cursor of another database is told as a resync, and the channel goes on', async () => {
  const user = await makeUser(server)
  await Bun.write(join(folder, 'foreign'), 'another.12')
  await using script = follow(server.url, user, 'last', 'foreign')
  await script.shows(({ type, data }) => type === 'resync' && data.reason === 'epoch')
  await makeTask(server, user, { title: 'last' })
  await script.end()
  expect(titles(script.lines)).toEqual(['last'])
})

test('a slow handler misses nothing, and a token that expires is replaced on the open socket', async () => {
  const user = await makeUser(server, { minutes: 0.1 })
  const { token } = await signInAgain(server, user)
  await using script = new Script('slow.py', server.url, user.token, token)
  await script.connected()
  await expired(user)
  const numbers = [...Array.from({ length: 40 }, (_, n) => String(n)), 'last']
  for (const number of numbers) {
    await transaction(server.ctx, async (tx) =>
      tx.emit(user.user.id, 'user.updated', { fields: [number] } as never),
    )
  }
  await script.end()
  expect(script.lines.at(-1)).toEqual({ numbers, refused: [] })
  expect(script.log).not.toContain('the connection has ended')
})

/** The user's token is not valid any more. */
const expired = (user: TestUser) =>
  eventually(async () => {
    const { status } = await api(server, 'GET', '/api/users/me', { token: user.token })
    return status === 401
  }, 'the end of the token')
