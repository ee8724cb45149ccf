/**
 * Protects every answer of two servers whose connections to PostgreSQL are reset, stalled and forgotten all the time:
 * it is right or 503, and never the answer to another request; an acknowledged write is stored, and so is its event.
 */
import { expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { Actor } from './actor.ts'
import { addNode, ask, must, register, signInAsAdmin } from './client.ts'
import { Doubter } from './doubter.ts'
import { gapProblems, lifeProblems, moneyProblems, readerProblems, readHistory } from './history.ts'
import { hasPostgres, NO_DATABASE, openParts } from './parts.ts'
import { headOf, Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

if (!hasPostgres) console.log(`skipped: two servers on connections that break: ${NO_DATABASE}`)

/** FAULT_CHAOS_SECONDS sets another time: shorter while one works on it, longer to search for more. */
const SECONDS = Number(process.env.FAULT_CHAOS_SECONDS ?? 60)
const JWT_SECRET = 'a secret that both servers of the fault suite know'
const BALANCE = 1_000_000

test.skipIf(!hasPostgres)(
  'every answer is right or 503, and nothing acknowledged is lost',
  async () => {
    const random = Random.announced('two servers on connections that break')
    await using stack = new AsyncDisposableStack()
    const parts = stack.use(
      await openParts('PostgreSQL', { task_prices: { test: 30 }, max_concurrent_tasks_per_user: 100_000 }),
    )
    const start = async () => {
      const proxy = stack.use(await TcpProxy.start(parts.databaseUrl!))
      const DATABASE_URL = proxy.through(parts.databaseUrl!)
      const server = await ServerProcess.start({ DATABASE_URL, JWT_SECRET, NODE_HEARTBEAT_SECONDS: '1' })
      return { proxy, server: stack.use(server) }
    }
    const [a, b] = [await start(), await start()]
    const urls = [a.server.url, b.server.url]
    const accounts = await Promise.all([1, 2, 3, 4].map(() => register(urls[0]!)))
    const askers = await Promise.all([1, 2, 3, 4].map(() => register(urls[0]!)))
    const admin = await signInAsAdmin(urls[0]!)
    for (const { id } of accounts) {
      await must(urls[0]!, 'PUT', `/api/admin/users/${id}`, { token: admin, body: { balance: BALANCE } })
    }
    const nodes: ScriptedNode[] = []
    for (const { server } of [a, b]) {
      const { token } = await addNode(urls[0]!, `node at ${server.url}`, 8)
      nodes.push(await stack.use(new ScriptedNode(() => server.wsUrl, token, 8)).connected())
    }
    const readers: Reader[] = []
    for (const account of accounts) {
      for (const { server } of [a, b]) {
        const name = `user ${account.id} at ${server.url}`
        readers.push(await stack.use(new Reader(name, () => server.wsUrl, account)).ready())
      }
    }
    const starts = readers.map(({ seq }) => seq)

    const stop = new AbortController()
    const harm = [a, b].map(({ proxy }) => proxy.disturb(random.fork(), stop.signal, [100, 1500]))
    const actors = accounts.map((account, i) => new Actor(urls[i % 2]!, account, random.fork()))
    const doubters = [...askers, ...askers].map((account) => new Doubter(urls, account, random.fork()))
    await Bun.sleep(SECONDS * 1000)
    stop.abort()
    const done = await Promise.all(harm)
    // The server gives up silent connections within its time limit.
    for (const url of urls)
      await eventually(async () => (await ask(url, 'GET', '/health'))?.status === 200, 'well', 60_000)
    await Promise.all([...actors, ...doubters].map((user) => user.finish()))

    const held = () => nodes.flatMap((node) => [...node.held.keys()])
    await eventually(() => held().length === 0, 'the nodes are rid of all', 60_000)
    for (const reader of readers) await reader.reaches(await headOf(urls[0]!, reader.account))
    for (const { server } of [a, b]) expect((await server.terminate()).code).toBe(0)

    const history = await readHistory(parts)
    const counts: Record<string, number> = {}
    for (const doubter of doubters) {
      for (const [what, n] of Object.entries(doubter.counts)) counts[what] = (counts[what] ?? 0) + n
    }
    const slowestMs = Math.max(...doubters.map((doubter) => doubter.slowestMs))
    console.log(
      `two servers on connections that break: ${history.tasks.length} tasks, slowest ${Math.round(slowestMs)} ms;`,
      JSON.stringify({ counts, harm: done }),
    )
    expect([
      ...doubters.flatMap(({ problems }) => problems),
      ...actors.flatMap((actor) => actor.problemsIn(history)),
      ...readers.flatMap((reader, i) => readerProblems(reader, history, starts[i])),
      ...gapProblems(history),
      ...lifeProblems(history),
      ...moneyProblems(history),
      ...nodes.flatMap(({ problems }) => problems),
      ...a.server.complaints,
      ...b.server.complaints,
    ]).toEqual([])
    expect(counts['sign-in: 200']).toBeGreaterThan(0)
    expect(counts['task: 200']).toBeGreaterThan(SECONDS / 8)
  },
  600_000,
)
