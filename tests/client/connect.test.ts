/** What the live client promises to an application (src/client/live-client.ts), on real servers and real sockets. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { AnyLiveEvent } from '../../src/client/index.ts'
import { transaction } from '../../src/core/transaction.ts'
import { api } from '../support/api.ts'
import { makeTask, makeUser, signInAgain } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { failTask, openClient, seqOf, startTask } from './support.ts'

const server = await startServer()
afterAll(() => server.stop())

test('events come to the handlers of their type and to those of all, in order and once', async () => {
  const owner = await makeUser(server)
  using client = openClient({ url: server.url, token: owner.token })
  const titles: string[] = []
  client.live.on('task.created', ({ data }) => void titles.push(data.title))
  await client.reaches('live')
  for (const title of ['a', 'b', 'c']) await makeTask(server, owner, { title })
  await eventually(() => titles.length === 3, 'three events')
  expect(titles).toEqual(['a', 'b', 'c'])
  expect(client.events.map(({ cursor }) => seqOf(cursor))).toEqual([1, 2, 3])
  expect(client.statuses).toEqual(['live'])
})

describe('a view', () => {
  test('and the events after it show everything, while others write', async () => {
    const owner = await makeUser(server)
    let writing = true
    const writer = (async () => {
      for (let n = 0; writing; n++) await makeTask(server, owner, { title: `t${n}` })
      return undefined
    })()
    await eventually(async () => (await titlesOf(owner.token)).length > 3, 'the writer has begun')
    using client = openClient({ url: server.url, token: owner.token })
    const shown = new Set<string>()
    let loads = 0
    client.live.view({
      async load(signal) {
        shown.clear()
        for (const title of await titlesOf(owner.token, signal)) shown.add(title)
        loads++
      },
      on: { 'task.created': ({ data }) => void shown.add(data.title) },
    })
    await eventually(() => loads === 1 && client.live.status === 'live', 'the view is loaded')
    await eventually(() => client.events.length > 10, 'events came')
    writing = false
    await writer
    const all = new Set(await titlesOf(owner.token))
    await eventually(
      () => shown.size >= all.size,
      () => `${shown.size} of ${all.size}`,
    )
    expect(shown).toEqual(all)
    expect(loads).toBe(1)
  })

  test('whose load fails is told, and is loaded again by reload', async () => {
    const owner = await makeUser(server)
    using client = openClient({ url: server.url, token: owner.token })
    const errors: unknown[] = []
    const got: AnyLiveEvent[] = []
    let fails = true
    const view = client.live.view({
      async load() {
        if (fails) throw new Error('away')
      },
      on: { 'task.created': (event) => void got.push(event) },
      onError: (error) => void errors.push(error),
    })
    await eventually(() => errors.length > 0, 'the failure')
    await client.reaches('live')
    await makeTask(server, owner)
    await client.reachesSeq(1)
    expect(got).toEqual([])
    fails = false
    await view.reload()
    await makeTask(server, owner)
    await client.reachesSeq(2)
    expect(got.map(({ cursor }) => seqOf(cursor))).toEqual([2])
    view()
    await makeTask(server, owner)
    await client.reachesSeq(3)
    expect(got).toHaveLength(1)
  })
})

describe('a handler', () => {
  test('that throws or rejects is reported, and stops nothing', async () => {
    const owner = await makeUser(server)
    using client = openClient({ url: server.url, token: owner.token })
    client.live.on('*', () => {
      throw new Error('sync')
    })
    client.live.on('*', () => Promise.reject(new Error('async')))
    await client.reaches('live')
    await makeTask(server, owner)
    await client.reachesSeq(1)
    await makeTask(server, owner)
    await client.reachesSeq(2)
    expect(client.errors.map((error) => (error as Error).message)).toEqual(['sync', 'async', 'sync', 'async'])
  })

  test('of a status, a resync, a view or a topic may be async, and is reported too', async () => {
    const owner = await makeUser(server)
    const { id } = await makeTask(server, owner)
    const cursors = { load: () => 'abc123.7', save: () => {} }
    using client = openClient({ url: server.url, token: owner.token, cursors })
    const failing = (what: string) => async () => {
      throw new Error(what)
    }
    client.live.onStatus(failing('status'))
    client.live.onResync(failing('resync'))
    client.live.view({ load: async () => {}, on: { 'task.created': failing('view') } })
    client.live.watch(`task:${id}`, failing('topic'))
    await client.reaches('live')
    await makeTask(server, owner)
    const reported = () => new Set(client.errors.map((error) => (error as Error).message))
    await eventually(() => reported().size === 4, 'four reports')
    expect([...reported()].sort()).toEqual(['resync', 'status', 'topic', 'view'])
  })

  test('that was stopped, or whose client was closed, while an earlier one ran is not called', async () => {
    const owner = await makeUser(server)
    using client = openClient({ url: server.url, token: owner.token })
    const called: string[] = []
    client.live.on('task.created', async ({ cursor }) => {
      await Bun.sleep(1)
      stop()
      if (seqOf(cursor) === 2) client.live.close()
    })
    const stop = client.live.on('task.created', () => void called.push('stopped'))
    client.live.on('*', ({ cursor }) => void called.push(`event ${seqOf(cursor)}`))
    await client.reaches('live')
    await makeTask(server, owner)
    await makeTask(server, owner)
    await client.reaches('closed')
    await Bun.sleep(5)
    expect(called).toEqual(['event 1'])
  })

  test('is awaited before the cursor is saved, and a new client goes on from there', async () => {
    const owner = await makeUser(server)
    const saved: string[] = []
    const cursors = { load: () => saved.at(-1), save: (cursor: string) => void saved.push(cursor) }
    const client = openClient({ url: server.url, token: owner.token, cursors })
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    client.live.on('*', () => held)
    await client.reaches('live')
    await makeTask(server, owner)
    await client.reachesSeq(1)
    await Bun.sleep(50)
    expect(saved.filter((cursor) => seqOf(cursor) > 0)).toEqual([])
    release()
    await eventually(() => saved.some((cursor) => seqOf(cursor) === 1), 'the cursor is saved')
    client.live.close()
    await makeTask(server, owner)
    using second = openClient({ url: server.url, token: owner.token, cursors })
    await second.reachesSeq(2)
    expect(second.events.map(({ cursor }) => seqOf(cursor))).toEqual([2])
  })

  test('that is slow bounds what waits: the client stops reading, and resumes', async () => {
    const owner = await makeUser(server)
    using client = openClient({ url: server.url, token: owner.token })
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    client.live.on('*', async ({ cursor }) => {
      if (seqOf(cursor) === 1) await held
    })
    await client.reaches('live')
    await makeTask(server, owner)
    await client.reachesSeq(1)
    // More than the client lets wait.
    await transaction(server.ctx, async (tx) => {
      for (let i = 1; i < 1500; i++) tx.emit(owner.user.id, 'user.updated', { fields: [] })
    })
    await eventually(() => client.live.status !== 'live', 'the client has stopped reading')
    release()
    await client.reachesSeq(1500)
    expect(client.events.map(({ cursor }) => seqOf(cursor))).toEqual(
      Array.from({ length: 1500 }, (_, i) => i + 1),
    )
  })
})

describe('topics', () => {
  test('a late watcher gets the last state at once, and a reconnect subscribes again', async () => {
    await using proxy = await TcpProxy.start(server.url)
    const owner = await makeUser(server)
    const { node, lease } = await startTask(server, owner)
    using client = openClient({ url: proxy.through(server.url), token: owner.token })
    const progress: number[] = []
    client.live.watch(`task:${lease.task_id}`, (state) => void progress.push(state.progress))
    await eventually(() => progress.length > 0, 'the first state')
    node.send({ type: 'progress', ...lease, progress: 30 })
    await eventually(() => progress.at(-1) === 30, 'progress')
    const late: number[] = []
    const stop = client.live.watch(`task:${lease.task_id}`, (state) => void late.push(state.progress))
    await Bun.sleep(0)
    expect(late).toEqual([30])
    stop()
    proxy.resetAll()
    await eventually(() => client.opened === 2, 'a new socket')
    node.send({ type: 'progress', ...lease, progress: 60 })
    await eventually(() => progress.at(-1) === 60, 'progress after the cut')
    expect(late).toEqual([30])
    node.close()
  })

  test('lines of a log come once, over cuts and for late watchers', async () => {
    await using proxy = await TcpProxy.start(server.url)
    const owner = await makeUser(server)
    const { node, lease } = await startTask(server, owner)
    const write = (from: number, to: number) => {
      for (let n = from; n <= to; n++)
        node.send({ type: 'log', ...lease, level: 'INFO', message: `line ${n}` })
    }
    using client = openClient({ url: proxy.through(server.url), token: owner.token })
    const follow = () => {
      const lines: string[] = []
      client.live.watch(`task:${lease.task_id}`, () => {}, {
        logPosition: 0,
        onLog: ({ message }) => void lines.push(message),
      })
      return lines
    }
    const [first, second] = [follow(), follow()]
    write(1, 10)
    await eventually(() => first.length === 10, 'ten lines')
    proxy.resetAll()
    write(11, 20)
    await eventually(() => first.length === 20, 'twenty lines')
    const late = follow()
    write(21, 25)
    await eventually(() => late.length === 25, 'the late watcher has all')
    await eventually(() => first.length === 25 && second.length === 25, 'the others too')
    const all = Array.from({ length: 25 }, (_, i) => `line ${i + 1}`)
    expect([first, second, late]).toEqual([all, all, all])
    node.close()
  })

  test('one that does not exist is refused to its watchers', async () => {
    const owner = await makeUser(server)
    using client = openClient({ url: server.url, token: owner.token })
    const codes: string[] = []
    client.live.watch('task:999999', () => {}, { onError: ({ code }) => void codes.push(code) })
    await client.reaches('live')
    client.live.watch('nothing:1', () => {}, { onError: ({ code }) => void codes.push(code) })
    await eventually(() => codes.length === 2, 'both refusals')
    expect(codes).toEqual(['NOT_FOUND', 'UNKNOWN_TOPIC'])
  })
})

describe('the session', () => {
  test('an expiring token is renewed on the open socket', async () => {
    const owner = await makeUser(server, { minutes: 1 })
    const fresh = (await signInAgain(server, owner)).token
    let asked = 0
    using client = openClient({ url: server.url, token: () => (asked++ < 2 ? owner.token : fresh) })
    await client.reaches('live')
    await eventually(() => client.sent.some((text) => text.includes(fresh)), 'the renewal')
    expect(client.opened).toBe(1)
  })

  test('an expired token is refused, and the client asks for another', async () => {
    const owner = await makeUser(server, { minutes: -1 })
    const fresh = (await signInAgain(server, owner)).token
    const asked: boolean[] = []
    using client = openClient({
      url: server.url,
      token(refused) {
        asked.push(refused)
        return refused ? fresh : owner.token
      },
    })
    await client.reaches('live')
    expect(asked.slice(0, 2)).toEqual([false, true])
  })

  test('a session that ends signs the client out, and it does not come back', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    using client = openClient({ url: server.url, token: other.token })
    await client.reaches('live')
    await api(server, 'POST', '/api/v1/auth/logout', { token: other.token })
    await client.reaches('signed-out')
    expect(client.opened).toBe(1)
  })

  test('a token that is refused, with no other, signs the client out', async () => {
    using client = openClient({ url: server.url, token: 'nonsense' })
    await client.reaches('signed-out')
    expect(client.errors).toEqual([])
  })

  test('a failure to get a token is told, and is no end of the session', async () => {
    const owner = await makeUser(server)
    let asked = 0
    using client = openClient({
      url: server.url,
      token: () => (asked++ === 0 ? Promise.reject(new Error('no network')) : owner.token),
    })
    await client.reaches('live')
    expect(client.errors).toEqual([new Error('no network')])
  })
})

test('a cursor that cannot be read is told, and asked for again', async () => {
  const owner = await makeUser(server)
  let asked = 0
  const load = () => (asked++ === 0 ? Promise.reject(new Error('no permission')) : undefined)
  using client = openClient({ url: server.url, token: owner.token, cursors: { load, save: () => {} } })
  await client.reaches('live')
  expect(client.errors).toEqual([new Error('no permission')])
})

test.each([
  ['has no such route', () => new Response('nothing here', { status: 404 }), '/api/ws/ticket: 404'],
  [
    'answers with a page',
    () => new Response('<p>Welcome'),
    '/api/ws/ticket: the answer is not JSON (NOT_JSON)',
  ],
  [
    'redirects',
    () => Response.redirect('https://roost.example.org/x', 301),
    '/api/ws/ticket redirects to https://roost.example.org/x: give the URL of that server (REDIRECTED)',
  ],
])('a server that %s is no Roost, which is told once and not at each try', async (_, answer, told) => {
  let tries = 0
  const other = Bun.serve({
    port: 0,
    fetch() {
      tries++
      return answer()
    },
  })
  const url = `http://127.0.0.1:${other.port}`
  using client = openClient({ url, token: 'x' })
  await eventually(() => tries > 3, 'further tries')
  expect(client.errors).toHaveLength(1)
  expect(String(client.errors[0])).toContain(`Error: ${url} refuses: `)
  expect(String(client.errors[0])).toContain(told)
  await other.stop(true)
})

test('what is no URL is refused at once', () => {
  for (const wrong of ['roost.example.org', 'localhost:8000', 'ftp://roost.example.org'])
    expect(() => openClient({ url: wrong, token: 'x' })).toThrow(`and not "${wrong}"`)
})

test('a resync is told, and views load again', async () => {
  const owner = await makeUser(server)
  await makeTask(server, owner)
  using client = openClient({
    url: server.url,
    token: owner.token,
    cursors: { load: () => 'abc123.7', save: () => {} },
  })
  const reasons: string[] = []
  let loads = 0
  client.live.onResync((reason) => void reasons.push(reason))
  client.live.view({
    load: async () => {
      loads++
    },
  })
  await client.reaches('live')
  expect(reasons).toEqual(['epoch'])
  await eventually(() => loads === 2, 'the view is loaded again')
  await makeTask(server, owner)
  await client.reachesSeq(2)
})

test('the language of the texts is that of the client, which may change it; no event is lost meanwhile', async () => {
  const owner = await makeUser(server)
  using client = openClient({ url: server.url, token: owner.token, language: 'zh' })
  const texts: (string | undefined)[] = []
  client.live.on('task.failed', ({ data }) => void texts.push(data.error_message))
  await client.reaches('live')
  await failTask(server, owner)
  await eventually(() => texts.length === 1, 'the event')
  client.live.setLanguage('en')
  client.live.setLanguage('en')
  await failTask(server, owner)
  await eventually(() => texts.length === 2, 'the event in English')
  expect(texts).toEqual(['任务程序已退出，退出码 3', 'The program ended with exit code 3'])
  expect(client.events.map(({ cursor }) => seqOf(cursor))).toEqual(client.events.map((_, index) => index + 1))
  expect([client.opened, client.statuses]).toEqual([2, ['live']])
})

test('a client that is closed while it connects leaves no socket', async () => {
  const owner = await makeUser(server)
  const sockets: WebSocket[] = []
  class Kept extends WebSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  using client = openClient({ url: server.url, token: owner.token, WebSocket: Kept as never })
  await eventually(() => sockets.length === 1, 'the socket')
  client.live.close()
  await eventually(() => sockets[0]!.readyState === WebSocket.CLOSED, 'its end')
})

async function titlesOf(token: string, signal?: AbortSignal): Promise<string[]> {
  const titles: string[] = []
  for (let page = 1; ; page++) {
    signal?.throwIfAborted()
    const { body } = await api(server, 'GET', `/api/tasks?page=${page}&page_size=100&sort_order=asc`, {
      token,
    })
    titles.push(...body.data.items.map(({ title }: { title: string }) => title))
    if (page >= body.data.total_pages) return titles
  }
}
