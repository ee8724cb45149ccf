/** The counting of uses, in memory and on Redis, and what happens while Redis fails. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { Bus } from '../../../src/bus/bus.ts'
import { createEmbeddedBus } from '../../../src/bus/embedded.ts'
import { createRedisBus } from '../../../src/bus/redis.ts'
import type { AppError } from '../../../src/core/errors.ts'
import { type Limit, RateLimits } from '../../../src/core/rate-limits/rate-limits.ts'
import { Counters } from '../../../src/util/counters.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { unique } from '../../support/factories.ts'

const log = createLogger('silent')
const redis = process.env.TEST_REDIS_URL
const limitOf = (max: number): Limit => ({ policy: 'test', key: unique('k'), max, windowMs: 60_000 })
const times = <T>(n: number, run: (i: number) => T) =>
  Promise.all(Array.from({ length: n }, (_, i) => run(i)))
const refusedBy = async (limits: RateLimits, limit: Limit) =>
  limits.enforce([limit]).then(
    () => false,
    (error) => error.code === 'RATE_LIMITED',
  )

const forms: [string, () => Promise<[Bus, Bus]>][] = [
  [
    'one server in memory',
    async () => {
      const bus = createEmbeddedBus(log)
      return [bus, bus]
    },
  ],
]
if (redis) {
  const epoch = unique('epoch')
  const open = () => createRedisBus(redis, epoch, log)
  forms.push(['two servers on one Redis', () => Promise.all([open(), open()])])
}

describe.each(forms)('%s', (_, open) => {
  const opened = open()
  afterAll(async () => {
    for (const bus of await opened) await bus.close()
  })

  test('of 1,000 uses at once exactly those within the limit pass', async () => {
    const [a, b] = (await opened).map((bus) => new RateLimits(bus, log, true)) as [RateLimits, RateLimits]
    const limit = limitOf(100)
    const refused = await times(1000, (i) => refusedBy(i % 2 ? a : b, limit))
    expect(refused.filter((was) => !was)).toHaveLength(100)
    expect((a.refused.test ?? 0) + (b.refused.test ?? 0)).toBe(900)
    expect(await refusedBy(a, limitOf(100))).toBeFalse()
    const standing = await b.use(limit)
    expect(standing).toMatchObject({ policy: 'test', max: 100, remaining: 0, exceeded: true })
    expect(standing.resetMs).toBeWithin(1, 60_001)
  })

  test('a limit of failures lets any number of successes pass, also all at once', async () => {
    const [bus] = await opened
    const limits = new RateLimits(bus, log, true)
    const limit = limitOf(3)
    const attempt = (result: true | undefined) =>
      limits.enforceOnFailures([limit], async () => result).catch((error: AppError) => error.code)
    expect(new Set(await times(20, () => attempt(true)))).toEqual(new Set([true]))
    const failed = await times(20, () => attempt(undefined))
    expect(failed.filter((result) => result === undefined)).toHaveLength(3)
    expect(failed.filter((result) => result === 'RATE_LIMITED')).toHaveLength(17)
    expect(await attempt(true)).toBe('RATE_LIMITED')
  })
})

describe('while Redis', () => {
  const AWAY_MS = 20
  type Store = Pick<Bus, 'increment' | 'decrement'>
  const counters = new Counters()
  const well: Store = {
    increment: async (...of) => counters.increment(...of),
    decrement: async (key) => counters.decrement(key),
  }
  const failing: Store = {
    increment: async () => Promise.reject(new Error('Connection is closed')),
    decrement: async () => Promise.reject(new Error('Connection is closed')),
  }
  const hanging: Store = { increment: () => new Promise(() => {}), decrement: () => new Promise(() => {}) }

  test.each([
    ['fails', failing],
    ['hangs', hanging],
  ])('%s, the server counts by itself, and a failure is no refusal', async (_, store) => {
    const limits = new RateLimits(store, log, true)
    const limit = limitOf(5)
    const refused = await times(20, () => refusedBy(limits, limit))
    expect(refused.filter((was) => was)).toHaveLength(15)
    const start = performance.now()
    // It does not wait for Redis again and again.
    expect(await times(20, () => refusedBy(limits, limitOf(1)))).not.toContain(true)
    const ended = limitOf(1)
    expect(await limits.enforceOnFailures([ended], async () => true)).toBeTrue()
    expect(await limits.enforceOnFailures([ended], async () => undefined)).toBeUndefined()
    expect(performance.now() - start).toBeLessThan(10_000)
    expect(await refusedBy(limits, ended)).toBeTrue()
  })

  test('is away for a while, the counters on Redis count again after it', async () => {
    let store = well
    const bus: Store = {
      increment: (...of) => store.increment(...of),
      decrement: (key) => store.decrement(key),
    }
    const limits = new RateLimits(bus, log, true, AWAY_MS)
    const limit = limitOf(2)
    expect(await refusedBy(limits, limit)).toBeFalse()
    store = failing
    expect(await times(2, () => refusedBy(limits, limit))).toEqual([false, false])
    store = well
    await Bun.sleep(AWAY_MS * 2)
    expect(await refusedBy(limits, limit)).toBeFalse()
    expect(await refusedBy(limits, limit)).toBeTrue()
  })
})

test('the counters in memory are bounded: the window that began first ends early', () => {
  const counters = new Counters(3)
  for (const key of ['a', 'b', 'c', 'a', 'd']) counters.increment(key, 60_000, 10)
  const count = (key: string) => counters.increment(key, 60_000, 10).count
  expect([count('b'), count('d')]).toEqual([2, 2])
  expect(count('a')).toBe(1)
})
