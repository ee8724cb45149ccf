/** One socket for all tabs of a browser (src/client/tabs.ts): every tab gets every event once, whoever leads. */
import { afterAll, expect, test } from 'bun:test'
import type { ConnectOptions } from '../../src/client/index.ts'
import type { Timing } from '../../src/client/options.ts'
import { connectTabs } from '../../src/client/tabs.ts'
import { transaction } from '../../src/core/transaction.ts'
import { makeTask, makeUser, signInAgain, type TestUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { Browser, type Tab } from '../support/tabs.ts'
import { failTask, openClient, seqOf, startTask, type TestClient } from './support.ts'

const server = await startServer()
afterAll(() => server.stop())

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)
const seqsOf = (client: TestClient) => client.events.map(({ cursor }) => seqOf(cursor))
const openTab = (tab: Tab, options: ConnectOptions, timing: Partial<Timing> = {}) =>
  openClient(options, timing, (given, quick) => connectTabs(given, quick, tab))
const makeTasks = async (owner: TestUser, n: number) => {
  for (let i = 0; i < n; i++) await makeTask(server, owner)
}

test('tabs share a socket and its status; users do not', async () => {
  const browser = new Browser()
  const [owner, other] = [await makeUser(server), await makeUser(server)]
  const options = { url: server.url, token: owner.token }
  using first = openTab(browser.tab(), options)
  await first.reaches('live')
  using second = openTab(browser.tab(), { ...options, token: (await signInAgain(server, owner)).token })
  using stranger = openTab(browser.tab(), { ...options, token: other.token })
  await second.reaches('live')
  await stranger.reaches('live')
  expect([first.opened, second.opened, stranger.opened]).toEqual([1, 0, 1])
  await makeTasks(owner, 3)
  for (const tab of [first, second]) await tab.reachesSeq(3)
  expect([seqsOf(first), seqsOf(second), stranger.events]).toEqual([upTo(3), upTo(3), []])
})

test('when the leader closes or vanishes another tab goes on, and no tab loses or repeats an event', async () => {
  const browser = new Browser()
  const owner = await makeUser(server)
  const tabs = [browser.tab(), browser.tab(), browser.tab(), browser.tab()]
  const clients: TestClient[] = []
  using stack = new DisposableStack()
  for (const tab of tabs) {
    const client = stack.use(openTab(tab, { url: server.url, token: owner.token }))
    clients.push(client)
    await client.reaches('live')
  }
  let writing = true
  const writer = (async () => {
    let n = 0
    // Not tasks: a user may have only so many.
    for (; writing; n++)
      await transaction(server.ctx, async (tx) => tx.emit(owner.user.id, 'user.updated', { fields: [] }))
    return n
  })()
  for (let i = 0; i < 3; i++) {
    await clients[3]!.reachesSeq((clients[3]!.events.length || 0) + 3)
    if (i === 1) tabs[i]!.vanish()
    clients[i]!.live.close()
    await eventually(() => clients[i + 1]!.opened === 1, 'the next tab leads')
  }
  await clients[3]!.reachesSeq(clients[3]!.events.length + 3)
  writing = false
  const made = await writer
  await clients[3]!.reachesSeq(made)
  for (const client of clients) expect(seqsOf(client)).toEqual(upTo(client.events.length))
  expect(clients[3]!.events).toHaveLength(made)
  expect(clients.map(({ opened }) => opened)).toEqual([1, 1, 1, 1])
})

test('a tab that has missed events fetches them', async () => {
  const browser = new Browser()
  const owner = await makeUser(server)
  using leader = openTab(browser.tab(), { url: server.url, token: owner.token })
  await leader.reaches('live')
  await makeTasks(owner, 3)
  await leader.reachesSeq(3)
  // The position of a tab that was closed two events ago.
  using late = openTab(browser.tab(), {
    url: server.url,
    token: owner.token,
    cursors: { load: () => `${server.ctx.epoch}.1`, save: () => {} },
  })
  await late.reachesSeq(3)
  expect(seqsOf(late)).toEqual([2, 3])
  await makeTasks(owner, 1)
  await late.reachesSeq(4)
  expect(seqsOf(late)).toEqual([2, 3, 4])
})

test('topics of other tabs are watched by the leader, move to the next one, and end with their tab', async () => {
  const browser = new Browser()
  const owner = await makeUser(server)
  const { node, lease } = await startTask(server, owner)
  const tabs = [browser.tab(), browser.tab(), browser.tab()]
  const options = { url: server.url, token: owner.token }
  using first = openTab(tabs[0]!, options)
  await first.reaches('live')
  using second = openTab(tabs[1]!, options)
  using third = openTab(tabs[2]!, options)
  const follow = ({ live }: TestClient) => {
    const seen = { progress: [] as number[], lines: [] as string[] }
    live.watch(`task:${lease.task_id}`, ({ progress }) => void seen.progress.push(progress), {
      onLog: ({ message }) => void seen.lines.push(message),
    })
    return seen
  }
  const [ofSecond, ofThird] = [follow(second), follow(third)]
  const write = (n: number) => {
    node.send({ type: 'progress', ...lease, progress: n })
    node.send({ type: 'log', ...lease, level: 'INFO', message: `line ${n}` })
  }
  write(1)
  for (const seen of [ofSecond, ofThird]) {
    await eventually(() => seen.progress.at(-1) === 1 && seen.lines.length === 1, 'the topic')
  }
  const refused: string[] = []
  third.live.watch('task:999999', () => {}, { onError: ({ code }) => void refused.push(code) })
  await eventually(() => refused.length === 1, 'the refusal')
  // The leader goes, and the second tab leads.
  first.live.close()
  await eventually(() => second.opened === 1, 'the second tab leads')
  write(2)
  for (const seen of [ofSecond, ofThird]) {
    await eventually(
      () => seen.progress.at(-1) === 2 && seen.lines.length === 2,
      'the topic, by the next leader',
    )
    expect(seen.lines).toEqual(['line 1', 'line 2'])
  }
  const late = follow(third)
  await eventually(() => late.lines.length === 2, 'the late watcher')
  expect(late.lines).toEqual(ofThird.lines)
  third.live.watch('gpu:cluster', () => {})
  const sent = (type: string) =>
    second.sent.some((text) => text.includes(`"${type}"`) && /gpu:cluster/.test(text))
  await eventually(() => sent('subscribe'), 'the leader watches it')
  tabs[2]!.vanish()
  await eventually(() => sent('unsubscribe'), 'the leader does not watch it any more')
  node.close()
})

test('a leader that the browser has frozen loses its place', async () => {
  const browser = new Browser()
  const owner = await makeUser(server)
  const options = { url: server.url, token: owner.token }
  const tabs = [browser.tab(), browser.tab()]
  using first = openTab(tabs[0]!, options)
  await first.reaches('live')
  const timing = { pingMs: 100, pongMs: 100 }
  using second = openTab(tabs[1]!, options, timing)
  await second.reaches('live')
  await makeTasks(owner, 1)
  await second.reachesSeq(1)
  tabs[0]!.freeze()
  await eventually(() => second.opened === 1, 'the second tab leads')
  await makeTasks(owner, 1)
  await second.reachesSeq(2)
  expect(seqsOf(second)).toEqual([1, 2])
})

test('a tab of another language has another socket, and shares one again with those that follow it', async () => {
  const browser = new Browser()
  const owner = await makeUser(server)
  const options = { url: server.url, token: owner.token, language: 'en' as const }
  const clients = [openTab(browser.tab(), options), openTab(browser.tab(), options)] as const
  using first = clients[0]
  using second = clients[1]
  const [ofFirst, ofSecond] = clients.map(({ live }) => {
    const texts: (string | undefined)[] = []
    live.on('task.failed', ({ data }) => void texts.push(data.error_message))
    return texts
  }) as [string[], string[]]
  for (const tab of clients) await tab.reaches('live')
  const texts = { en: 'The program ended with exit code 3', zh: '任务程序已退出，退出码 3' }
  first.live.setLanguage('zh')
  await failTask(server, owner)
  await eventually(() => ofFirst.length === 1 && ofSecond.length === 1, 'the event, in two languages')
  expect([ofFirst, ofSecond]).toEqual([[texts.zh], [texts.en]])
  second.live.setLanguage('zh')
  await failTask(server, owner)
  await eventually(() => ofFirst.length === 2 && ofSecond.length === 2, 'the event, in one')
  expect([ofFirst[1], ofSecond[1]]).toEqual([texts.zh, texts.zh])
  for (const tab of clients) expect(seqsOf(tab)).toEqual(upTo(tab.events.length))
  expect(first.opened + second.opened).toBe(3)
})

test('without locks each tab has a socket of its own', async () => {
  const owner = await makeUser(server)
  using client = openClient({ url: server.url, token: owner.token }, {}, connectTabs)
  await client.reaches('live')
  expect(client.opened).toBe(1)
})

test.each(['locks', 'channels'])('in a browser that refuses %s too', async (refused) => {
  const refuse = () => {
    throw new DOMException('refused', 'SecurityError')
  }
  const tab = new Browser().tab()
  const platform = {
    locks: refused === 'locks' ? { request: async () => refuse() } : tab.locks,
    Channel: refused === 'channels' ? (refuse as never) : tab.Channel,
  }
  const owner = await makeUser(server)
  using client = openClient({ url: server.url, token: owner.token }, {}, (options, timing) =>
    connectTabs(options, timing, platform),
  )
  await client.reaches('live')
  await makeTasks(owner, 1)
  await client.reachesSeq(1)
  expect(client.errors).toEqual([])
})
