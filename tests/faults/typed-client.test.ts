/**
 * The live client (src/client/live-client.ts) against faults: connections that are cut, servers that are killed, and proxies
 * that swallow, delay and repeat whole messages. Every handler is called once for each event, in order.
 */
import { expect, test } from 'bun:test'
import { openClient, seqOf, type TestClient } from '../client/support.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { type Fate, SocketProxy } from '../support/socket-proxy.ts'
import { type Account, ask, register } from './client.ts'
import { readHistory } from './history.ts'
import { hasPostgres, NO_DATABASE, openParts } from './parts.ts'
import { headOf } from './reader.ts'

const USERS = 20
/** Of each user. The server takes 20 sockets of one. */
const CLIENTS = 10
const KILLS = 3

const skip = !hasPostgres
if (skip) console.log(`skipped: the typed client: ${NO_DATABASE}`)

test.skipIf(skip)(`${USERS * CLIENTS} clients get every event once while everything fails`, async () => {
  const random = Random.announced('typed client')
  await using stack = new AsyncDisposableStack()
  const parts = stack.use(await openParts('PostgreSQL', { max_concurrent_tasks_per_user: 10_000 }))
  const env = { DATABASE_URL: parts.databaseUrl!, JWT_SECRET: 'a secret that both servers of this test know' }
  const servers = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)])
  for (const server of servers) stack.use(server)
  const proxies = servers.map(({ url }) => stack.use(new SocketProxy(() => url)))
  const accounts: Account[] = []
  for (let n = 0; n < USERS; n++) accounts.push(await register(servers[n % 2]!.url))
  const readers = accounts.flatMap((account) =>
    Array.from({ length: CLIENTS }, (_, n) => new Listener(account, proxies[n % 2]!.url, random.fork())),
  )
  for (const reader of readers) stack.defer(() => reader.client.live.close())
  await Promise.all(readers.map((reader) => reader.begin()))

  const chance = random.fork()
  for (const proxy of proxies) proxy.fate = () => fateBy(chance)
  const faults = new AbortController()
  const cuts = cutAtRandom(proxies, random.fork(), faults.signal)
  const writers = accounts.map((account, n) =>
    write(account, servers[n % 2]!.url, faults.signal, random.fork()),
  )
  for (let kill = 0; kill < KILLS; kill++) {
    await Bun.sleep(random.between(500, 1500))
    await servers[kill % 2]!.restart()
  }
  await Bun.sleep(random.between(500, 1500))
  faults.abort()
  await Promise.all([cuts, ...writers])
  // Nothing is lost any more, but what was lost before still has to show.
  for (const proxy of proxies) proxy.fate = () => 'pass'

  const history = await readHistory(parts)
  for (const reader of readers) await reader.reaches(await headOf(servers[0]!.url, reader.account))
  const opened = readers.reduce((sum, { client }) => sum + client.opened, 0)
  const handled = readers.reduce((sum, { client }) => sum + client.events.length, 0)
  console.log(`typed client: ${handled} events handled on ${opened} sockets`)
  const problems = readers.flatMap((reader) => {
    const log = (history.logs.get(reader.account.id) ?? []).filter(({ seq }) => seq > reader.start)
    const logged = log.map(({ seq, type }) => `${seq} ${type}`).join()
    return reader.handled.flatMap((events, handler) =>
      events.join() === logged
        ? []
        : [`${reader.account.id}, handler ${handler}: ${events} and not ${logged}`],
    )
  })
  expect(problems).toEqual([])
  expect(readers.flatMap(({ client }) => client.errors)).toEqual([])
  expect(opened).toBeGreaterThan(readers.length)
  expect(handled).toBeGreaterThan(readers.length)
})

/** A client with a handler that is quick and one that is not. */
class Listener {
  readonly client: TestClient
  readonly handled: [string[], string[]] = [[], []]
  start = 0

  constructor(
    readonly account: Account,
    url: string,
    random: Random,
  ) {
    const timing = { pingMs: 1500, pongMs: 1500, openMs: 3000, backoffCapMs: 1000, probeMs: [500, 1000] }
    this.client = openClient({ url, token: account.token }, timing)
    this.client.live.on('*', (event) => void this.handled[0].push(labelOf(event)))
    this.client.live.on('*', async (event) => {
      if (random.chance(0.1)) await Bun.sleep(random.between(1, 20))
      this.handled[1].push(labelOf(event))
    })
  }

  async begin(): Promise<void> {
    await this.client.reaches('live')
    this.start = seqOf(this.client.live.cursor)
  }

  async reaches(head: number): Promise<void> {
    await eventually(
      () => seqOf(this.client.live.cursor) >= head,
      () =>
        `${this.account.id} reaches ${head}; it is ${this.client.live.status} at ${this.client.live.cursor}`,
    )
  }
}

const labelOf = ({ cursor, type }: { cursor: string; type: string }) => `${seqOf(cursor)} ${type}`

function fateBy(random: Random): Fate {
  const chance = random.next()
  if (chance < 0.03) return 'swallow'
  if (chance < 0.08) return 'twice'
  return chance < 0.15 ? random.between(1, 100) : 'pass'
}

async function cutAtRandom(proxies: SocketProxy[], random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Bun.sleep(random.between(10, 60))
    random.pick(proxies).cut((all) => random.pick(all))
  }
}

/** Makes and cancels tasks. What is not answered may have happened or not; the log knows. */
async function write(account: Account, url: string, signal: AbortSignal, random: Random): Promise<void> {
  const { token } = account
  while (!signal.aborted) {
    await Bun.sleep(random.between(100, 600))
    const body = { title: 't', task_type: 'nowhere' }
    const made = await ask(url, 'POST', '/api/tasks', { token, body, ms: 5000 })
    const id = made?.body?.data?.id
    if (id && random.chance(0.5)) await ask(url, 'POST', `/api/tasks/${id}/cancel`, { token, ms: 5000 })
  }
}
