import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Database } from '../../src/db/client.ts'
import { eventually } from '../support/process.ts'
import { aborted, enqueue, named, openQueue, openServers, QUICK, signalled, work } from './support.ts'

let servers: Awaited<ReturnType<typeof openServers>>
let here: Database
let there: Database
beforeAll(async () => {
  servers = await openServers(2)
  ;[here, there] = servers.databases as [Database, Database]
})
afterAll(() => servers[Symbol.asyncDispose]())

test('of two servers exactly one runs a job', async () => {
  // Both at once, on a database without queues: neither may fail when the other creates one first.
  const queues = await Promise.all([openQueue(here, { share: QUICK }), openQueue(there, { share: QUICK })])
  const ran: [number, number][] = []
  for (const [i, queue] of queues.entries()) {
    await work(queue, 'share', { concurrency: 2 }, async ({ payload }) => {
      ran.push([payload.n, i])
      await Bun.sleep(20)
    })
  }
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => enqueue(servers.databases[n % 2]!, queues[n % 2]!, 'share', n)),
  )
  await eventually(() => ran.length >= 40, 'all jobs have run')
  await Bun.sleep(200)
  expect(ran.map(([n]) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n))
  expect(new Set(ran.map(([, server]) => server)).size).toBe(2)
  await Promise.all(queues.map((queue) => queue.close()))
})

test('jobs with one turn run one after the other, on any server, and hold up no other job', async () => {
  const queues = await Promise.all([openQueue(here, { turns: QUICK }), openQueue(there, { turns: QUICK })])
  const [held, told] = [signalled(), signalled()]
  const ran: number[] = []
  let [running, most] = [0, 0]
  for (const queue of queues) {
    await work(queue, 'turns', { concurrency: 2 }, async ({ payload: { n } }) => {
      if (n < 0) return told.resolve()
      running++
      most = Math.max(most, running)
      if (ran.length === 0) await held.promise
      // Others have time to begin.
      await Bun.sleep(5)
      running--
      ran.push(n)
    })
  }
  const wanted = Array.from({ length: 12 }, (_, n) => n)
  await Promise.all(
    wanted.map((n) => enqueue(servers.databases[n % 2]!, queues[n % 2]!, 'turns', n, { turn: 'ada' })),
  )
  await eventually(() => running > 0, 'the first one')
  await enqueue(here, queues[0]!, 'turns', -1, { turn: 'mei' })
  await told.promise
  held.resolve()
  await eventually(() => ran.length >= wanted.length, 'all jobs have run')
  expect(most).toBe(1)
  expect(ran.sort((a, b) => a - b)).toEqual(wanted)
  await Promise.all(queues.map((queue) => queue.close()))
})

test('a stop waits for the jobs that run', async () => {
  const queue = await openQueue(here, { wait: QUICK })
  const begun = signalled()
  let [done, started] = [0, 0]
  await work(queue, 'wait', { concurrency: 1 }, async () => {
    started++
    begun.resolve()
    await Bun.sleep(400)
    done++
  })
  await enqueue(here, queue, 'wait', 1)
  await enqueue(here, queue, 'wait', 2)
  await begun.promise
  await queue.close()
  expect([started, done]).toEqual([1, 1])

  const next = await openQueue(here, { wait: QUICK })
  expect(await next.pending(named('wait'))).toEqual({ waiting: 1, running: 0, dead: 0 })
  await next.close()
})

test('a stop that can wait no longer leaves the job to another server, at no cost to its tries', async () => {
  const options = { leave: { ...QUICK, retries: 0 } }
  const first = await openQueue(here, options)
  const [begun, told] = [signalled(), signalled()]
  await work(first, 'leave', { concurrency: 1 }, async (_, signal) => {
    begun.resolve()
    await aborted(signal)
    told.resolve()
    throw new Error('stopped')
  })
  await enqueue(here, first, 'leave', 5)
  await begun.promise
  const start = performance.now()
  await first.close(200)
  await told.promise
  expect(performance.now() - start).toBeLessThan(1000)

  const second = await openQueue(there, options)
  const ran = signalled<number>()
  await work(second, 'leave', { concurrency: 1 }, async ({ payload }) => ran.resolve(payload.n))
  expect(await ran.promise).toBe(5)
  await eventually(async () => (await second.pending(named('leave'))).running === 0, 'it is done')
  expect(await second.pending(named('leave'))).toEqual({ waiting: 0, running: 0, dead: 0 })
  await second.close()
})

test('what waits survives a restart, and changed options reach the next jobs', async () => {
  const before = await openQueue(here, { keep: QUICK })
  await enqueue(here, before, 'keep', 1)
  await before.close()

  const after = await openQueue(here, { keep: { ...QUICK, retries: 0 } })
  await enqueue(here, after, 'keep', 2)
  const ran: string[] = []
  const given: number[] = []
  const onGiveUp = async (job: { payload: { n: number } }) => void given.push(job.payload.n)
  await work(after, 'keep', { concurrency: 1, onGiveUp }, async ({ payload, attempt }) => {
    ran.push(`${payload.n} for the ${attempt}. time`)
    if (attempt === 1) throw new Error('once')
  })
  await eventually(() => ran.length === 3 && given.length === 1, 'both have ended')
  expect(ran).toEqual(['1 for the 1. time', '2 for the 1. time', '1 for the 2. time'])
  expect(given).toEqual([2])
  await after.close()
})
