/**
 * Protects the promise of the channel (DESIGN 3): every event in order, exactly once per reader, across cut sockets,
 * slow readers and `kill -9` of the server; and that of the nodes (DESIGN 4): one ending per life of a task.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { type Account, addNode, ask, listTasks, must, register, signInAsAdmin } from './client.ts'
import { gapProblems, lifeProblems, moneyProblems, readerProblems, readHistory } from './history.ts'
import { DATABASES, hasPostgres, NO_DATABASE, openParts } from './parts.ts'
import { headOf, Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

const USERS = 3
const KILLS = 20
/** Enough for every hold. */
const BALANCE = 1_000_000

/** What a user did, as far as it was answered. */
class Deeds {
  readonly created: string[] = []
  readonly lost: string[] = []
  cancelled = 0
  retried = 0
  /** Answers that no fault explains. */
  readonly problems: string[] = []
}

/** Creates, cancels and retries at random until told to stop. */
async function act(
  url: string,
  account: Account,
  random: Random,
  deeds: Deeds,
  goesOn: () => boolean,
): Promise<void> {
  const { token } = account
  const ids: string[] = []
  for (let n = 0; goesOn(); n++) {
    await Bun.sleep(random.between(5, 120))
    const id = ids.length > 0 && random.chance(0.45) ? random.pick(ids) : undefined
    if (id === undefined) {
      const title = `${account.id}-${n}`
      const config = {
        steps: random.between(1, 6),
        step_ms: random.between(5, 300),
        fail: random.chance(0.25),
        result_bytes: random.chance(0.2) ? random.between(1, 200_000) : 0,
      }
      const body = { title, task_type: 'test', config, priority: random.between(0, 10) }
      const reply = await ask(url, 'POST', '/api/tasks', { token, body })
      if (reply?.status === 201) {
        deeds.created.push(title)
        ids.push(reply.body.data.id)
      } else if (reply === undefined || reply.status === 503) deeds.lost.push(title)
      else if (reply.status !== 429) deeds.problems.push(`POST ${title}: ${JSON.stringify(reply)}`)
    } else {
      const verb = random.pick(['cancel', 'retry'] as const)
      const reply = await ask(url, 'POST', `/api/tasks/${id}/${verb}`, { token })
      if (reply?.status === 200) deeds[verb === 'cancel' ? 'cancelled' : 'retried']++
      else if (reply && ![409, 503].includes(reply.status)) {
        deeds.problems.push(`${verb} ${id}: ${JSON.stringify(reply)}`)
      }
    }
  }
}

describe.concurrent.each([...DATABASES])('resume, %s', (kind) => {
  const skip = kind === 'PostgreSQL' && !hasPostgres
  if (skip) console.log(`skipped: resume on PostgreSQL: ${NO_DATABASE}`)

  test.skipIf(skip)(
    `every reader has the whole log after ${KILLS} kills of the server`,
    async () => {
      const random = Random.announced(`resume, ${kind}`)
      await using parts = await openParts(kind, { task_prices: { test: 30 } })
      await using server = await ServerProcess.start(parts.env)
      const { url, wsUrl } = server
      const admin = await signInAsAdmin(url)
      await using stack = new AsyncDisposableStack()
      const accounts = await Promise.all(Array.from({ length: USERS }, () => register(url)))
      for (const { id } of accounts) {
        await must(url, 'PUT', `/api/admin/users/${id}`, { token: admin, body: { balance: BALANCE } })
      }
      const nodes: ScriptedNode[] = []
      for (const name of ['one', 'two']) {
        const { token } = await addNode(url, name, 4)
        nodes.push(await stack.use(new ScriptedNode(() => wsUrl, token, 4)).connected())
      }
      const readers: Reader[] = []
      const starts = new Map<Reader, number>()
      for (const account of accounts) {
        for (const manner of ['steady', 'cut', 'slow'] as const) {
          const reader = stack.use(new Reader(`user ${account.id}, ${manner}`, () => wsUrl, account))
          await reader.ready()
          starts.set(reader, reader.seq)
          readers.push(reader)
          if (manner !== 'steady') void reader.disturb(random.fork(), manner)
        }
      }

      let acting = true
      const deeds = accounts.map(() => new Deeds())
      const actors = accounts.map((account, i) => act(url, account, random.fork(), deeds[i]!, () => acting))
      for (let kill = 0; kill < KILLS; kill++) {
        await Bun.sleep(random.between(100, 1500))
        if (random.chance(0.3)) random.pick(nodes).cut()
        await server.restart()
      }
      acting = false
      await Promise.all(actors)

      const shown = new Map(
        await Promise.all(
          accounts.map(async (account) => {
            let open: string[] = []
            const all = await eventually(
              async () => {
                const tasks = await listTasks(url, account)
                open = tasks
                  .filter(({ status }) => status === 'pending' || status === 'running')
                  .map(({ id, status }) => `${id} ${status}`)
                return open.length === 0 && tasks
              },
              () => `all tasks of user ${account.id} end; open: ${open.join(', ')}`,
              60_000,
            )
            return [account.id, all] as const
          }),
        ),
      )
      for (const account of accounts) {
        const head = await headOf(wsUrl, account)
        for (const reader of readers.filter((reader) => reader.account === account)) {
          await eventually(
            () => reader.seq >= head,
            () => `${reader.name} reaches ${head}; it is at ${reader.seq}`,
          )
        }
      }
      expect(nodes.flatMap(({ held }) => [...held.keys()])).toEqual([])
      const { code } = await server.terminate()
      expect(code).toBe(0)

      const history = await readHistory(parts)
      const problems = [
        ...readers.flatMap((reader) => readerProblems(reader, history, starts.get(reader))),
        ...gapProblems(history),
        ...lifeProblems(history),
        ...moneyProblems(history),
        ...nodes.flatMap((node) => node.problems),
        ...server.complaints,
      ]
      let events = 0
      for (const [i, account] of accounts.entries()) {
        const { created, lost, cancelled, retried } = deeds[i]!
        const log = history.logs.get(account.id)!
        events += log.length
        const stored = history.tasks.filter(({ userId }) => userId === account.id)
        const titles = stored.map(({ title }) => title)
        const twice = titles.filter((title, n) => titles.indexOf(title) !== n)
        const gone = created.filter((title) => !titles.includes(title))
        const unknown = titles.filter((title) => !created.includes(title) && !lost.includes(title))
        if (twice.length > 0) problems.push(`made twice: ${twice}`)
        if (gone.length > 0) problems.push(`answered 201 and gone: ${gone}`)
        if (unknown.length > 0) problems.push(`nobody made: ${unknown}`)
        const count = (fits: (type: string, data: string) => boolean) =>
          log.filter(({ type, data }) => fits(type, data)).length
        const cancels = count((type) => type === 'task.cancelled')
        const retries = count((type, data) => type === 'task.requeued' && JSON.parse(data).reason === 'retry')
        if (cancels < cancelled)
          problems.push(`${cancelled} cancels were answered 200, the log has ${cancels}`)
        if (retries < retried) problems.push(`${retried} retries were answered 200, the log has ${retries}`)
        problems.push(...deeds[i]!.problems)
        const rest = shown.get(account.id)!
        for (const task of stored) {
          const seen = rest.find(({ id }) => id === task.uuid)
          if (seen?.status !== task.status)
            problems.push(`${task.uuid}: REST ${seen?.status}, stored ${task.status}`)
        }
      }
      const connections = readers.reduce((sum, reader) => sum + reader.connections, 0)
      console.log(
        `resume, ${kind}: ${events} events, ${history.tasks.length} tasks, ${connections} reader connections,`,
        `${deeds.reduce((sum, { lost }) => sum + lost.length, 0)} answers lost`,
      )
      expect(problems).toEqual([])
    },
    230_000,
  )
})
