/**
 * Protects docs/design.md, "Live channel" and "Nodes": every event arrives in order, exactly once per reader, across cut
 * sockets, slow readers and `kill -9` of the server; and a task ends once, unless its owner retries it.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { Actor } from './actor.ts'
import { addNode, addTask, must, register, signInAsAdmin } from './client.ts'
import { gapProblems, lifeProblems, moneyProblems, readerProblems, readHistory } from './history.ts'
import { DATABASES, hasPostgres, NO_DATABASE, openParts } from './parts.ts'
import { headOf, Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

const USERS = 3
const KILLS = 8
/** Enough for every hold. */
const BALANCE = 1_000_000

describe.concurrent.each([...DATABASES])('resume, %s', (kind) => {
  const skip = kind === 'PostgreSQL' && !hasPostgres
  if (skip) console.log(`skipped: resume on PostgreSQL: ${NO_DATABASE}`)

  test.skipIf(skip)(`every reader has the whole log after ${KILLS} kills of the server`, async () => {
    const random = Random.announced(`resume, ${kind}`)
    await using parts = await openParts(kind, {
      task_prices: { test: 30 },
      max_concurrent_tasks_per_user: 10_000,
    })
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

    const actors = accounts.map((account) => new Actor(url, account, random.fork()))
    for (let kill = 0; kill < KILLS; kill++) {
      await Bun.sleep(random.between(100, 1500))
      if (random.chance(0.3)) random.pick(nodes).cut()
      await server.restart()
    }
    await Promise.all(actors.map((actor) => actor.finish()))

    const held = () => nodes.flatMap((node) => [...node.held.keys()])
    await eventually(
      () => held().length === 0,
      () => `the nodes are rid of all; they hold ${held().join(', ')}`,
    )
    for (const reader of readers) await reader.reaches(await headOf(url, reader.account))
    expect((await server.terminate()).code).toBe(0)

    const history = await readHistory(parts)
    const connections = readers.reduce((sum, reader) => sum + reader.connections, 0)
    const lost = actors.reduce((sum, actor) => sum + actor.lost.length, 0)
    const events = [...history.logs.values()].reduce((sum, log) => sum + log.length, 0)
    console.log(
      `resume, ${kind}: ${events} events, ${history.tasks.length} tasks, ${connections} reader connections,`,
      `${lost} answers lost`,
    )
    expect([
      ...readers.flatMap((reader) => readerProblems(reader, history, starts.get(reader))),
      ...actors.flatMap((actor) => actor.problemsIn(history)),
      ...gapProblems(history),
      ...lifeProblems(history),
      ...moneyProblems(history),
      ...nodes.flatMap((node) => node.problems),
      ...server.complaints,
    ]).toEqual([])
  })
})

/** More than the kernel buffers for a socket whose client does not read, which is some six megabytes. */
const TASKS = 450
const RESULT_BYTES = 15_000
/** A socket blocked for 30 s is closed, and cut 5 s later. */
const TOO_LONG_MS = 33_000
/** Shorter than that, also on a machine on which timers fire late. */
const PAUSE_MS = 15_000

describe.concurrent('readers that do not read', () => {
  test('get everything afterwards, in order and once', async () => {
    await using stack = new AsyncDisposableStack()
    const parts = stack.use(await openParts('embedded', { max_concurrent_tasks_per_user: 10_000 }))
    const server = stack.use(await ServerProcess.start(parts.env))
    const { url, wsUrl } = server
    const owner = await register(url)
    const node = await stack
      .use(new ScriptedNode(() => wsUrl, (await addNode(url, 'node', 50)).token, 50))
      .connected()
    const open = (name: string) => stack.use(new Reader(name, () => wsUrl, owner)).ready()
    const [reads, pauses, sleeps] = [await open('reads'), await open('pauses'), await open('sleeps')]
    const readers = [reads, pauses, sleeps]
    const starts = readers.map(({ seq }) => seq)
    sleeps.pause()
    const pausedAt = performance.now()
    pauses.pause()
    let made = 0
    const making = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (made++ < TASKS) await addTask(url, owner, { steps: 0, result_bytes: RESULT_BYTES })
      }),
    )
    // A task has more than three events when the machine is so busy that a node answers an assignment too late.
    const completed = () =>
      reads.events.filter(({ text }) => JSON.parse(text).type === 'task.completed').length
    const told = () => reads.events.length >= 3 * TASKS && completed() === TASKS
    // At most as long as a reader may pause, because a slow machine needs longer for the tasks.
    await eventually(
      () => told() || performance.now() - pausedAt > PAUSE_MS,
      'the tasks end, or the pause is over',
      PAUSE_MS + 5_000,
    )
    // Unread events are in the log and one page of them in the kernel, and not in the server's memory.
    expect(pauses.events.length).toBeLessThan(reads.events.length)
    pauses.resume()
    await pauses.reaches(reads.seq)
    expect(pauses.connections).toBe(1)

    await making
    await eventually(
      told,
      () => `the reader is told of ${TASKS} results; of ${completed()}, in ${reads.events.length} events`,
      150_000,
    )
    const endedAt = performance.now()
    const head = await headOf(url, owner)
    await pauses.reaches(head)

    await Bun.sleep(Math.max(0, TOO_LONG_MS - (performance.now() - endedAt)))
    sleeps.resume()
    await eventually(() => sleeps.connections > 1, 'the sleeper was sent away and came back')
    // With 4508, or without a code when unread frames held the close frame back until the server cut the socket off.
    expect([4508, undefined]).toContain(sleeps.closeCodes[0])
    await sleeps.reaches(head)
    expect((await server.terminate()).code).toBe(0)
    const history = await readHistory(parts)
    expect([
      ...readers.flatMap((reader, i) => readerProblems(reader, history, starts[i])),
      ...node.problems,
      ...server.complaints,
    ]).toEqual([])
  })
})
