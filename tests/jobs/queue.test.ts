import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type JobQueue, UnrecoverableError } from '../../src/jobs/queue.ts'
import { eventually } from '../support/process.ts'
import {
  aborted,
  enqueue,
  named,
  openQueue,
  openServers,
  QUICK,
  signalled,
  type TestJob,
  work,
} from './support.ts'

const NAMES = ['commit', 'wake', 'retry', 'hopeless', 'bound', 'key', 'later', 'slow', 'long', 'hook']

let servers: Awaited<ReturnType<typeof openServers>>
let queue: JobQueue
const add = (name: string, n = 0, options = {}) => enqueue(servers.databases[0]!, queue, name, n, options)

beforeAll(async () => {
  servers = await openServers(1)
  const quick = Object.fromEntries(NAMES.map((name) => [name, QUICK]))
  queue = await openQueue(servers.databases[0]!, {
    ...quick,
    slow: { ...QUICK, timeoutSeconds: 1, retries: 0 },
    hook: { ...QUICK, retries: 0 },
  })
})
afterAll(async () => {
  await queue.close()
  await servers[Symbol.asyncDispose]()
})

// Each test has its own queue.
describe.concurrent('a queue', () => {
  test('adds a job with its transaction or not at all', async () => {
    const { db } = servers.databases[0]!
    const undone = db.transaction(async (tx) => {
      await queue.enqueue({ db: tx, afterCommit: () => {} }, named('commit'), { n: 1 })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await queue.pending(named('commit'))).toEqual({ waiting: 0, running: 0, dead: 0 })

    await add('commit', 2)
    expect(await queue.pending(named('commit'))).toEqual({ waiting: 1, running: 0, dead: 0 })
    const ran = signalled<TestJob>()
    await work(queue, 'commit', { concurrency: 1 }, async (job) => ran.resolve(job))
    expect(await ran.promise).toMatchObject({ payload: { n: 2 }, attempt: 1 })
    await eventually(async () => (await queue.pending(named('commit'))).running === 0, 'the job is done')
    expect(await queue.pending(named('commit'))).toEqual({ waiting: 0, running: 0, dead: 0 })
  })

  test('starts what is enqueued here without waiting for a poll', async () => {
    const starts: number[] = []
    await work(queue, 'wake', { concurrency: 2 }, async () => void starts.push(performance.now()))
    const delays: number[] = []
    for (let n = 0; n < 10; n++) {
      await Bun.sleep(100)
      await add('wake', n)
      const committed = performance.now()
      await eventually(() => starts.length > n, 'the job has started')
      delays.push(starts[n]! - committed)
    }
    // Without the wake-up, the poll would take a second.
    expect(delays.sort((a, b) => a - b)[5]!).toBeLessThan(500)
  })

  test('tries again after a pause, then gives up and says why', async () => {
    const runs: { attempt: number; at: number }[] = []
    const given = signalled<[TestJob, string]>()
    const options = {
      concurrency: 1,
      onGiveUp: async (job: TestJob, reason: string) => given.resolve([job, reason]),
    }
    await work(queue, 'retry', options, async ({ attempt }) => {
      runs.push({ attempt, at: performance.now() })
      throw new Error(`try ${attempt} failed`)
    })
    await add('retry', 7)
    const [job, reason] = await given.promise
    expect(job).toMatchObject({ payload: { n: 7 }, attempt: 2 })
    expect(reason).toBe('try 2 failed')
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(runs[1]!.at - runs[0]!.at).toBeGreaterThan(900)
    expect(await queue.pending(named('retry'))).toMatchObject({ waiting: 0, dead: 1 })
  })

  test('gives up at once what no retry can help', async () => {
    let runs = 0
    const given = signalled<string>()
    const options = {
      concurrency: 1,
      onGiveUp: async (_: unknown, reason: string) => given.resolve(reason),
    }
    await work(queue, 'hopeless', options, async () => {
      runs++
      throw new UnrecoverableError('the file is encrypted')
    })
    await add('hopeless')
    expect(await given.promise).toBe('the file is encrypted')
    expect(runs).toBe(1)
  })

  test('calls the give-up hook again when it throws', async () => {
    let calls = 0
    const done = signalled()
    const onGiveUp = async () => {
      if (++calls === 1) throw new Error('not now')
      done.resolve()
    }
    await work(queue, 'hook', { concurrency: 1, onGiveUp }, async () => {
      throw new Error('no')
    })
    await add('hook')
    await done.promise
    expect(calls).toBe(2)
  }, 20_000)

  test('runs no more jobs at once than it may, and a backlog without pauses', async () => {
    for (let n = 0; n < 8; n++) await add('bound', n)
    let [now, most, done] = [0, 0, 0]
    const start = performance.now()
    await work(queue, 'bound', { concurrency: 2 }, async () => {
      most = Math.max(most, ++now)
      await Bun.sleep(50)
      now--
      done++
    })
    await eventually(() => done === 8, 'all jobs are done')
    expect(most).toBe(2)
    // With a poll after each job it would take 8 seconds.
    expect(performance.now() - start).toBeLessThan(4000)
  })

  test('holds no two waiting jobs with one key', async () => {
    const singletonKey = 'material/5'
    expect(await add('key', 1, { singletonKey })).toBe(true)
    expect(await add('key', 2, { singletonKey })).toBe(false)
    expect(await add('key', 3, { singletonKey: 'material/6' })).toBe(true)
    expect(await queue.pending(named('key'))).toMatchObject({ waiting: 2 })

    const [ran, begun, go] = [[] as number[], signalled(), signalled()]
    await work(queue, 'key', { concurrency: 1 }, async ({ payload }) => {
      ran.push(payload.n)
      begun.resolve()
      await go.promise
    })
    await begun.promise
    // The first job runs already and may have read old data, so the new job must not be lost.
    expect(await add('key', 4, { singletonKey })).toBe(true)
    go.resolve()
    await eventually(() => ran.length === 3, 'all have run')
    expect(ran.sort()).toEqual([1, 3, 4])
  })

  test('starts a job no earlier than it should', async () => {
    const ran = signalled<number>()
    await work(queue, 'later', { concurrency: 1 }, async () => ran.resolve(Date.now()))
    const startAfter = new Date(Date.now() + 1500)
    await add('later', 1, { startAfter })
    expect(await ran.promise).toBeGreaterThanOrEqual(startAfter.getTime())
  })

  test('fails a job that takes too long, and tells it', async () => {
    const told = signalled()
    const given = signalled<string>()
    const options = { concurrency: 1, onGiveUp: async (_: unknown, reason: string) => given.resolve(reason) }
    await work(queue, 'slow', options, async (_, signal) => {
      await aborted(signal)
      told.resolve()
    })
    await add('slow')
    await told.promise
    expect(await given.promise).toContain('exceeded 1s')
  })

  test('does not run a job twice while its heartbeats go on', async () => {
    let runs = 0
    const ended = signalled<boolean>()
    await work(queue, 'long', { concurrency: 1 }, async (_, signal) => {
      runs++
      // Longer than the first heartbeat.
      await Bun.sleep(4500)
      ended.resolve(signal.aborted)
    })
    await add('long')
    expect(await ended.promise).toBe(false)
    expect(runs).toBe(1)
  })
})
