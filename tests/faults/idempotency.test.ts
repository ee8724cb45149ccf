/**
 * Protects docs/design.md, "Repeated requests": a request with a key is carried out once, also when its server is killed while it
 * works or before its answer arrives, and when two servers get it at the same moment.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { type Account, ask, listTasks, must, type Reply, register, signInAsAdmin } from './client.ts'
import { DATABASES, type DatabaseKind, hasPostgres, NO_DATABASE, openParts } from './parts.ts'

if (!hasPostgres) console.log(`skipped: keys on PostgreSQL: ${NO_DATABASE}`)

const KILLS = 3
const REQUESTS = 40
const BALANCE = 1000
/** Of each task. */
const COST = 1
const TASK = { title: 'paid once', task_type: 'paid', estimated_duration: COST }
const SYSTEM = { task_prices: { paid: 100 }, max_concurrent_tasks_per_user: 1_000_000 }
const JWT_SECRET = 'a secret that both servers of the fault suite know'

const pay = (url: string, { token }: Account, key: string): Promise<Reply | undefined> =>
  ask(url, 'POST', '/api/tasks', { token, body: TASK, headers: { 'idempotency-key': key } })
const idIn = (reply: Reply): string => reply.body.data.id

async function payer(url: string): Promise<Account> {
  const account = await register(url)
  const token = await signInAsAdmin(url)
  await must(url, 'PUT', `/api/admin/users/${account.id}`, { token, body: { balance: BALANCE } })
  return account
}

/** Each key has one task and one payment. */
async function expectOnce(url: string, account: Account, tasks: ReadonlyMap<string, string>): Promise<void> {
  const there = (await listTasks(url, account)).map(({ id }) => id)
  expect(there.sort()).toEqual([...tasks.values()].sort())
  const me = await must(url, 'GET', '/api/users/me', { token: account.token })
  expect(me.body.data.available_balance).toBe(BALANCE - COST * tasks.size)
}

const kinds = DATABASES.filter((kind) => kind === 'embedded' || hasPostgres)
describe.each([...kinds])('requests with keys on %s', (kind: DatabaseKind) => {
  test(`whose server is killed ${KILLS} times, are paid once and answered alike`, async () => {
    const random = Random.announced(`keys on ${kind}`)
    await using parts = await openParts(kind, SYSTEM)
    await using server = await ServerProcess.start(parts.env)
    const { url } = server
    const account = await payer(url)
    const tasks = new Map<string, string>()
    for (let kill = 1; kill <= KILLS; kill++) {
      const keys = Array.from({ length: REQUESTS }, () => crypto.randomUUID())
      const answered = new Map<string, Reply>()
      const sent = keys.map(async (key) => {
        const reply = await pay(url, account, key)
        if (reply) answered.set(key, reply)
      })
      await eventually(() => answered.size >= random.between(1, REQUESTS / 2), 'some are answered')
      await server.kill()
      await Promise.all(sent)
      await server.start()
      for (const key of keys) {
        // PostgreSQL may take a moment to notice that the killed server is gone.
        const again = await eventually(async () => {
          const reply = await pay(url, account, key)
          return reply?.status !== 409 && reply
        }, 'the key is free')
        expect(again.status, JSON.stringify(again)).toBe(201)
        tasks.set(key, idIn(again))
        const first = answered.get(key)
        if (first) expect(again.body).toEqual(first.body)
      }
      await expectOnce(url, account, tasks)
    }
    expect(server.complaints).toEqual([])
  })
})

describe.skipIf(!hasPostgres)('two servers on one database', () => {
  test('that get a request at the same moment carry it out once', async () => {
    await using parts = await openParts('PostgreSQL', SYSTEM)
    const env = { DATABASE_URL: parts.databaseUrl!, JWT_SECRET }
    await using a = await ServerProcess.start(env)
    await using b = await ServerProcess.start(env)
    const account = await payer(a.url)
    const tasks = new Map<string, string>()
    for (let n = 0; n < REQUESTS; n++) {
      const key = crypto.randomUUID()
      const replies = await Promise.all([a, b, a, b].map(({ url }) => pay(url, account, key)))
      const made = replies.filter((reply) => reply?.status === 201)
      expect(new Set(made.map((reply) => idIn(reply!))).size).toBe(1)
      for (const reply of replies) {
        if (reply?.status === 201) continue
        expect([reply?.status, reply?.body.error_code]).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE'])
      }
      tasks.set(key, idIn(made[0]!))
      for (const { url } of [a, b]) expect((await pay(url, account, key))?.body).toEqual(made[0]!.body)
    }
    await expectOnce(a.url, account, tasks)
  })
})
