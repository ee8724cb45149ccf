import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Database } from '../../src/db/client.ts'
import { claimRun } from '../../src/jobs/runs.ts'
import { type ScheduledJob, Scheduler } from '../../src/jobs/scheduler.ts'
import { createLogger } from '../../src/util/logger.ts'
import { SteppedClock } from '../support/clock.ts'
import { unique } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { openServers, signalled, silent } from './support.ts'

let servers: Awaited<ReturnType<typeof openServers>>
let here: Database
let there: Database
beforeAll(async () => {
  servers = await openServers(2)
  ;[here, there] = servers.databases as [Database, Database]
})
afterAll(() => servers[Symbol.asyncDispose]())

const EVERY_SECOND = '* * * * * *'
const NEVER = '0 0 1 1 *'
const job = (part: Partial<ScheduledJob>): ScheduledJob => ({
  id: unique('job_'),
  name: 'a test',
  pattern: NEVER,
  run: async () => 0,
  ...part,
})
const scheduler = (jobs: ScheduledJob[], database = here) => new Scheduler(database.db, silent, jobs)

describe.concurrent('the scheduler', () => {
  test('tells when its jobs run next', async () => {
    const [hourly, yearly] = [job({ pattern: '17 * * * *', name: 'hourly' }), job({})]
    const own = scheduler([hourly, yearly])
    const { running, jobs } = await own.status()
    expect(running).toBe(true)
    expect(jobs.map(({ id, name }) => [id, name])).toEqual([
      [hourly.id, 'hourly'],
      [yearly.id, 'a test'],
    ])
    const next = jobs[0]!.nextRunAt!
    expect(next.getUTCMinutes()).toBe(17)
    expect(next.getTime() - Date.now()).toBeWithin(-1000, 3_600_001)
    expect(jobs[1]).toMatchObject({ paused: false, lastRunAt: null })
    const year = new Date().getUTCFullYear() + 1
    expect(jobs[1]!.nextRunAt!.toISOString()).toBe(`${year}-01-01T00:00:00.000Z`)
    await own.close()
    expect((await own.status()).running).toBe(false)
  })

  test('runs a job at each instant on one server only', async () => {
    const ran: { server: number; at: number }[] = []
    const id = unique('job_')
    const both = [here, there].map((database, server) =>
      scheduler(
        [job({ id, pattern: EVERY_SECOND, run: async () => void ran.push({ server, at: Date.now() }) })],
        database,
      ),
    )
    const start = Date.now()
    await eventually(() => ran.length >= 4, 'four runs')
    await Promise.all(both.map((one) => one.close()))
    // If both servers ran the job, four runs would have taken two seconds.
    expect(ran.length).toBeLessThanOrEqual(Math.ceil((Date.now() - start) / 1000) + 1)
    const [last] = (await both[0]!.status()).jobs
    expect(last!.lastRunAt!.getTime() % 1000).toBe(0)
  })

  test('runs a paused job on no server, also after a restart, until it is resumed', async () => {
    let runs = 0
    const [first, second] = [signalled(), signalled()]
    const ticking = job({
      pattern: EVERY_SECOND,
      run: async () => {
        runs++
        first.resolve()
        if (runs > 1) second.resolve()
      },
    })
    const before = scheduler([ticking])
    await first.promise
    expect(await before.pause(ticking.id)).toBe(true)
    const sofar = runs
    await before.close()

    const after = [scheduler([ticking]), scheduler([ticking], there)]
    const [status] = (await after[1]!.status()).jobs
    expect(status).toMatchObject({ paused: true, nextRunAt: null })
    await Bun.sleep(2200)
    expect(runs).toBe(sofar)

    expect(await after[1]!.resume(ticking.id)).toBe(true)
    const [resumed] = (await after[0]!.status()).jobs
    expect(resumed!.paused).toBe(false)
    expect(resumed!.nextRunAt!.getTime() - Date.now()).toBeLessThan(1001)
    await second.promise
    await Promise.all(after.map((one) => one.close()))
  })

  test('runs a job when it is told to, paused or not, and once at a time', async () => {
    let runs = 0
    const go = signalled()
    const asked = job({
      run: async () => {
        runs++
        await go.promise
        return { removed: 3 }
      },
    })
    const broken = job({ run: () => Promise.reject(new Error('broken')) })
    const own = scheduler([asked, broken])
    await own.pause(asked.id)
    const results = [own.runNow(asked.id), own.runNow(asked.id)]
    go.resolve()
    expect(await Promise.all(results)).toEqual([{ removed: 3 }, { removed: 3 }])
    expect(runs).toBe(1)
    await expect(own.runNow(broken.id)).rejects.toThrow('broken')
    expect(await own.runNow(asked.id)).toEqual({ removed: 3 })
    expect(runs).toBe(2)
    await own.close()
  })

  test('knows no other jobs', async () => {
    const own = scheduler([job({})])
    expect(await own.pause('nothing')).toBe(false)
    expect(await own.resume('nothing')).toBe(false)
    expect(own.runNow('nothing')).toBeUndefined()
    await own.close()
  })

  test('goes on after a job has failed, and waits at its end for one that runs', async () => {
    let [begun, ended] = [0, 0]
    const failing = job({
      pattern: EVERY_SECOND,
      run: async () => {
        if (++begun === 1) throw new Error('once')
        await Bun.sleep(300)
        ended++
      },
    })
    const own = scheduler([failing])
    await eventually(() => begun === 2, 'it runs again')
    await own.close()
    expect(ended).toBe(1)
  })

  test('tells a job under way that the server stops, and the end of that run is no failure', async () => {
    const lines: string[] = []
    const log = createLogger('debug', { write: (line) => void lines.push(line) })
    const begun = signalled()
    const endless = job({
      pattern: EVERY_SECOND,
      run: (signal) => {
        begun.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const own = new Scheduler(here.db, log, [endless])
    await begun.promise
    await own.close()
    expect(lines).toEqual([])
  })
})

test('clocks that differ take no run twice, and a wrong one stops nobody', async () => {
  const id = unique('job_')
  const at = (seconds: number) => new Date(Math.floor(Date.now() / 1000 + seconds) * 1000)
  const noon = at(0)
  expect(await claimRun(here.db, id, noon)).toBe(true)
  expect(await claimRun(there.db, id, noon)).toBe(false)
  expect(await claimRun(there.db, id, at(-60))).toBe(false)
  // The clock of `there` is five minutes fast. It claims the run in five minutes, and `here` finds it claimed.
  const soon = at(300)
  expect(await claimRun(there.db, id, soon)).toBe(true)
  expect(await claimRun(here.db, id, soon)).toBe(false)
  expect(await claimRun(here.db, id, at(100 * 86_400))).toBe(true)
  expect(await claimRun(there.db, id, at(600))).toBe(true)

  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, i) => claimRun((i % 2 ? here : there).db, id, at(900))),
  )
  expect(tries.filter(Boolean)).toHaveLength(1)
})

test('a clock that is set back or forward by an hour stops no job', async () => {
  using clock = new SteppedClock()
  let runs = 0
  const own = scheduler([job({ pattern: EVERY_SECOND, run: async () => void runs++ })])
  for (const minutes of [0, -60, -5, 60]) {
    clock.step(minutes * 60_000)
    const before = runs
    await eventually(() => runs > before + 1, `runs after a step of ${minutes} minutes`, 15_000)
  }
  await own.close()
})
