/** The live client in networks that cut, lose, repeat and block (src/client/live-client.ts). */
import { afterAll, describe, expect, test } from 'bun:test'
import { makeTask, makeUser, type TestUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { SocketProxy } from '../support/socket-proxy.ts'
import { openLive } from '../support/sockets.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { failTask, openClient, seqOf, startTask, type TestClient } from './support.ts'

const server = await startServer()
afterAll(() => server.stop())

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const seqsOf = (client: TestClient) => client.events.map(({ cursor }) => seqOf(cursor))
const makeTasks = async (owner: TestUser, n: number) => {
  for (let i = 0; i < n; i++) await makeTask(server, owner)
}

test('a cut connection resumes: every event once, in order', async () => {
  await using proxy = await TcpProxy.start(server.url)
  const owner = await makeUser(server)
  // Cuts that are shorter than the grace are not shown.
  using client = openClient({ url: proxy.through(server.url), token: owner.token }, { graceMs: 60_000 })
  await client.reaches('live')
  for (let cut = 0; cut < 4; cut++) {
    await makeTasks(owner, 3)
    proxy.resetAll()
    await makeTasks(owner, 2)
  }
  await client.reachesSeq(20)
  expect(seqsOf(client)).toEqual(upTo(20))
  expect(client.statuses.filter((status) => status === 'offline')).toEqual([])
})

test('a connection that is dead without a word is noticed by a ping', async () => {
  await using proxy = await TcpProxy.start(server.url)
  const owner = await makeUser(server)
  using client = openClient(
    { url: proxy.through(server.url), token: owner.token },
    { pingMs: 100, pongMs: 200 },
  )
  await client.reaches('live')
  proxy.stallAll()
  await makeTasks(owner, 1)
  await client.reachesSeq(1)
  expect(client.opened).toBe(2)
})

test('without a server the client is offline, says when it tries again, and comes back by itself', async () => {
  await using proxy = await TcpProxy.start(server.url)
  const owner = await makeUser(server)
  using client = openClient({ url: proxy.through(server.url), token: owner.token })
  await client.reaches('live')
  proxy.arrivals = 'reset'
  proxy.resetAll()
  await client.reaches('offline')
  await eventually(() => client.live.retryAt, 'the time of the next attempt')
  proxy.arrivals = 'forward'
  client.live.retry()
  await client.reaches('live')
})

test('a page that comes back asks at once whether its connection is still there', async () => {
  await using proxy = await TcpProxy.start(server.url)
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  Object.assign(globalThis, { document: page })
  try {
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.through(server.url), token: owner.token }, { pongMs: 200 })
    await client.reaches('live')
    proxy.stallAll()
    await makeTasks(owner, 1)
    page.dispatchEvent(new Event('visibilitychange'))
    await client.reachesSeq(1)
    expect(client.opened).toBe(2)
  } finally {
    Reflect.deleteProperty(globalThis, 'document')
  }
})

test('a server that restarts says when it is back, and the client waits so long', async () => {
  const restarting = await startServer()
  await using proxy = new SocketProxy(() => restarting.url)
  let toldAt = 0
  let delayMs = 0
  proxy.fate = (text) => {
    const frame = JSON.parse(text)
    if (frame.type === 'draining') {
      toldAt = performance.now()
      delayMs = frame.reconnect_after_ms
    }
    return 'pass'
  }
  const owner = await makeUser(restarting)
  using client = openClient({ url: proxy.url, token: owner.token })
  await client.reaches('live')
  await restarting.stop()
  await eventually(() => proxy.upgrades > 1 || proxy.requests.length > 1, 'the next attempt')
  // Timers may be some milliseconds early.
  expect(performance.now() - toldAt).toBeGreaterThan(delayMs - 20)
  await client.reaches('offline')
})

test('one socket too many is told, and tried again much later or when the application asks', async () => {
  const owner = await makeUser(server)
  const others = await Promise.all(Array.from({ length: 20 }, () => openLive(server, owner.token)))
  using client = openClient({ url: server.url, token: owner.token })
  await eventually(() => client.errors.length > 0, 'the refusal')
  expect(String(client.errors[0])).toContain('4409')
  await eventually(() => (client.live.retryAt ?? 0) > Date.now() + 20_000, 'the pause')
  for (const other of others) other.close()
  await eventually(async () => {
    client.live.retry()
    return client.live.status === 'live'
  }, 'the client is live')
})

describe('messages', () => {
  test('that come twice are handled once', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.fate = () => 'twice'
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.url, token: owner.token })
    await client.reaches('live')
    await makeTasks(owner, 5)
    await client.reachesSeq(5)
    expect(seqsOf(client)).toEqual(upTo(5))
    expect(client.opened).toBe(1)
  })

  test('that are lost show by the next event, and the client fetches them', async () => {
    await using proxy = new SocketProxy(() => server.url)
    let lost = 0
    proxy.fate = (text) =>
      text.includes('"task.created"') && seqIn(text) === 2 && lost++ === 0 ? 'swallow' : 'pass'
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.url, token: owner.token })
    await client.reaches('live')
    await makeTasks(owner, 4)
    await client.reachesSeq(4)
    expect(seqsOf(client)).toEqual(upTo(4))
    expect([lost, client.opened]).toEqual([2, 2])
  })

  test('that are lost with nothing after them show by a ping; so does a lost answer to a subscription', async () => {
    await using proxy = new SocketProxy(() => server.url)
    let isLossy = true
    proxy.fate = (text) => (isLossy && /"task.created"|"subscribed"/.test(text) ? 'swallow' : 'pass')
    const owner = await makeUser(server)
    const { node, lease } = await startTask(server, owner)
    using client = openClient({ url: proxy.url, token: owner.token }, { pingMs: 150 })
    await client.reaches('live')
    const lines: string[] = []
    client.live.watch(`task:${lease.task_id}`, () => {}, { onLog: ({ message }) => void lines.push(message) })
    node.send({ type: 'log', ...lease, level: 'INFO', message: 'one' })
    await makeTasks(owner, 1)
    await Bun.sleep(200)
    expect(lines).toEqual([])
    isLossy = false
    await eventually(() => client.events.length === 1 && lines.length === 1, 'the lost ones')
    expect(lines).toEqual(['one'])
    node.close()
  })
})

describe('where upgrades are blocked', () => {
  test('events come as a stream, topics by requests; and the WebSocket takes over when it opens', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.blocksUpgrades = true
    const owner = await makeUser(server)
    const { node, lease } = await startTask(server, owner)
    using client = openClient({ url: proxy.url, token: owner.token })
    const progress: number[] = []
    const lines: string[] = []
    const servers: number[] = []
    client.live.watch(`task:${lease.task_id}`, (state) => void progress.push(state.progress), {
      onLog: ({ message }) => void lines.push(message),
    })
    client.live.watch('gpu:cluster', (state) => void servers.push(state.total_servers))
    const refused: string[] = []
    client.live.watch('task:999999', () => {}, { onError: ({ code }) => void refused.push(code) })
    await client.reaches('polling')
    await makeTasks(owner, 3)
    node.send({ type: 'progress', ...lease, progress: 20 })
    node.send({ type: 'log', ...lease, level: 'INFO', message: 'one' })
    await client.reachesSeq(5)
    await eventually(() => progress.at(-1) === 20 && lines.length === 1 && servers.length > 0, 'the topics')
    await eventually(() => refused.length > 0, 'the refusal')
    expect(proxy.requests.filter((path) => path === 'GET /api/events').length).toBeLessThan(5)
    proxy.blocksUpgrades = false
    await client.reaches('live')
    await makeTasks(owner, 2)
    node.send({ type: 'progress', ...lease, progress: 70 })
    node.send({ type: 'log', ...lease, level: 'INFO', message: 'two' })
    await eventually(() => progress.at(-1) === 70 && lines.length === 2, 'the topics, by the socket')
    await client.reachesSeq(7)
    expect(seqsOf(client)).toEqual(
      upTo(client.events.length).map((n) => n + seqOf(client.events[0]!.cursor) - 1),
    )
    expect(lines).toEqual(['one', 'two'])
    const polls = proxy.requests.length
    await Bun.sleep(300)
    expect(proxy.requests.length).toBe(polls)
    node.close()
  })

  test('the stream is opened again when the language changes', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.blocksUpgrades = true
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.url, token: owner.token, language: 'en' })
    const texts: (string | undefined)[] = []
    client.live.on('task.failed', ({ data }) => void texts.push(data.error_message))
    await client.reaches('polling')
    client.live.setLanguage('zh')
    await failTask(server, owner)
    await eventually(() => texts.length > 0, 'the event')
    expect(texts).toEqual(['任务程序已退出，退出码 3'])
  })

  test('what administrators watch of the system has no value until a WebSocket opens, and costs no request', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.blocksUpgrades = true
    const admin = await makeUser(server, { role: 'admin' })
    using client = openClient({ url: proxy.url, token: admin.token })
    const seen: string[] = []
    for (const topic of ['system:overview', 'system:log'] as const)
      client.live.watch(topic, (state) => void seen.push(state.server), {
        onError: ({ code }) => void seen.push(code),
      })
    await client.reaches('polling')
    const polls = proxy.requests.length
    await makeTasks(admin, 1)
    await client.reachesSeq(1)
    expect(seen).toEqual([])
    expect(proxy.requests.slice(polls).filter((path) => !path.startsWith('GET /api/events'))).toEqual([])
    proxy.blocksUpgrades = false
    await client.reaches('live')
    await eventually(() => seen.length > 0, 'the overview, by the socket')
    expect(seen[0]).toEndWith(`:${process.pid}`)
  })

  test('and streams are held back, long polls bring the events', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.blocksUpgrades = true
    proxy.holdsStreams = true
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.url, token: owner.token }, { mutedMs: 200 })
    await client.reaches('polling')
    await eventually(
      () => proxy.requests.filter((path) => path === 'GET /api/events').length === 3,
      'a long poll waits',
    )
    for (let n = 1; n <= 3; n++) {
      await makeTasks(owner, 1)
      await client.reachesSeq(n)
    }
    proxy.blocksUpgrades = false
    await client.reaches('live')
    await makeTasks(owner, 1)
    await client.reachesSeq(4)
    expect(seqsOf(client)).toEqual(upTo(4))
  })

  test('a session that ends signs the client out', async () => {
    await using proxy = new SocketProxy(() => server.url)
    proxy.blocksUpgrades = true
    const owner = await makeUser(server)
    using client = openClient({ url: proxy.url, token: owner.token })
    await client.reaches('polling')
    await fetch(`${server.url}/api/v1/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner.token}` },
    })
    await client.reaches('signed-out')
  })
})

const seqIn = (text: string): number => seqOf(JSON.parse(text).cursor)
