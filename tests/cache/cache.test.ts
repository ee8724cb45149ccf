import { afterAll, describe, expect, test } from 'bun:test'
import type { Cache, Entry } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory.ts'
import { createRedisCache } from '../../src/cache/redis.ts'
import { sizeOf } from '../../src/cache/size.ts'
import { createLogger } from '../../src/util/logger.ts'
import { unique } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { hasRedis, NO_REDIS, RedisProcess } from '../support/redis.ts'

if (!hasRedis) console.log(`skipped: the cache on a Redis that hangs: ${NO_REDIS}`)

const log = createLogger('silent')
const redis = process.env.TEST_REDIS_URL
const MB = 1_000_000
const place = () => ({ epoch: unique('epoch'), version: 'v' })

const kinds: [string, (maxBytes?: number) => Promise<Cache>][] = [
  ['memory', async (maxBytes = MB) => createMemoryCache(maxBytes)],
]
if (redis) kinds.push(['redis', (maxBytes = MB) => createRedisCache(redis, place(), maxBytes, log)])

const entry = (key: string, more: Partial<Entry> = {}): Entry => ({
  group: 'photos',
  key,
  ttlMs: 60_000,
  ...more,
})

/** Counts how often a value is computed. */
function counting<T>(value: T) {
  const compute = async () => {
    compute.runs++
    await Bun.sleep(1)
    return value
  }
  compute.runs = 0
  return compute
}

describe.each(kinds)('the %s cache', (_, open) => {
  const opened = open()
  afterAll(async () => (await opened).close())

  test('computes a value once, also for callers that ask at the same moment', async () => {
    const cache = await opened
    const key = entry(unique('key'))
    const compute = counting({ n: 1 })
    const ask = () => cache.read(key, compute)
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }])
    expect(await ask()).toEqual({ n: 1 })
    expect(compute.runs).toBe(1)
  })

  test('keeps no failure', async () => {
    const cache = await opened
    const key = entry(unique('key'))
    const failing = () => cache.read(key, () => Promise.reject(new Error('no')))
    const both = await Promise.allSettled([failing(), failing()])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await cache.read(key, async () => 'yes')).toBe('yes')
  })

  test.each([[0], [false], [''], [[]], [{ at: new Date(7), of: [{ at: new Date(8) }] }]])(
    'keeps %j',
    async (value) => {
      const cache = await opened
      const key = entry(unique('key'))
      const compute = counting(value)
      for (let n = 0; n < 2; n++) expect(await cache.read(key, compute)).toEqual(value)
      expect(compute.runs).toBe(1)
    },
  )

  test('a value ends after its time', async () => {
    const cache = await opened
    const key = entry(unique('key'), { ttlMs: 30 })
    const compute = counting('value')
    await cache.read(key, compute)
    await Bun.sleep(60)
    await cache.read(key, compute)
    expect(compute.runs).toBe(2)
  })

  test('a clearing removes the groups that it names, and what is being computed of them', async () => {
    const cache = await open()
    const [cleared, kept] = [entry('one'), entry('one', { group: 'tags' })]
    const compute = counting('value')
    for (const key of [cleared, kept]) await cache.read(key, compute)
    const slow = entry('slow')
    const { promise, resolve } = Promise.withResolvers<string>()
    const before = cache.read(slow, () => promise)
    await cache.clear(['photos'])
    resolve('before')
    expect(await before).toBe('before')
    expect((await cache.stats()).groups.get('tags')?.keys).toBe(1)
    for (const key of [cleared, kept]) await cache.read(key, compute)
    expect(compute.runs).toBe(3)
    if (cache.kind === 'memory') expect(await cache.read(slow, async () => 'after')).toBe('after')
    await cache.close()
  })

  test('counts keys, hits and misses by group', async () => {
    const cache = await open()
    const ask = (key: string, group: string) => cache.read(entry(key, { group }), async () => 'value')
    for (const key of ['one', 'one', 'two', 'one']) await ask(key, 'photos')
    await ask('one', 'tags')
    const { groups, keys, usedBytes, connected } = await cache.stats()
    expect(groups.get('photos')).toEqual({ keys: 2, hits: 2, misses: 2 })
    expect(groups.get('tags')).toEqual({ keys: 1, hits: 0, misses: 1 })
    expect(keys).toBeGreaterThanOrEqual(3)
    expect(usedBytes).toBeGreaterThan(0)
    expect(connected).toBe(cache.kind === 'redis')
    await cache.close()
  })
})

test('a text in Chinese counts with the two bytes of each character', () => {
  expect([sizeOf('a'.repeat(100)), sizeOf('照'.repeat(100))]).toEqual([124, 224])
})

test('the memory is bounded: the values that were not asked for the longest time go first', async () => {
  const cache = createMemoryCache(20_000)
  const compute = counting('x'.repeat(1000))
  for (let n = 0; n < 100; n++) {
    await cache.read(entry(`key ${n}`), compute)
    await cache.read(entry('key 0'), compute)
  }
  expect(compute.runs).toBe(100)
  const { usedBytes, keys } = await cache.stats()
  expect(usedBytes).toBeWithin(10_000, 20_001)
  expect(keys).toBeWithin(10, 20)
})

describe.if(redis !== undefined)('servers on one Redis', () => {
  test('share what they have computed, count together, and clear for each other', async () => {
    const one = place()
    const [a, b, other, newer] = await Promise.all([
      createRedisCache(redis!, one, MB, log),
      createRedisCache(redis!, one, MB, log),
      createRedisCache(redis!, place(), MB, log),
      createRedisCache(redis!, { ...one, version: 'newer' }, MB, log),
    ])
    const value = { at: new Date(), list: [1, 'zwei', null] }
    const shared = entry('shared')
    const compute = counting(value)
    await a.read(shared, compute)
    // The reader does not wait until Redis has the value.
    await eventually(async () => (await b.stats()).groups.get('photos')?.keys === 1, 'Redis has the value')
    expect(await b.read(shared, compute)).toEqual(value)
    expect(compute.runs).toBe(1)
    // Of another database, and of the same one but of another version of the server.
    await other.read(shared, compute)
    await newer.read(shared, compute)
    expect(compute.runs).toBe(3)
    await a.stats()
    expect((await b.stats()).groups.get('photos')).toEqual({ keys: 1, hits: 1, misses: 1 })
    await b.clear(['photos'])
    expect((await a.stats()).groups.get('photos')?.keys).toBe(0)
    await Promise.all([a, b, other, newer].map((cache) => cache.close()))
  })

  test('a text in Redis that is no value is computed anew', async () => {
    const { Redis } = await import('ioredis')
    const [own, client] = [place(), new Redis(redis!)]
    const cache = await createRedisCache(redis!, own, 1, log)
    await cache.read(entry('one'), async () => ({ n: 1 }))
    const stored = async () => (await client.keys(`roost:${own.epoch}:cache-v:*`))[0]
    await client.set(await eventually(stored, 'Redis has the value'), '{"broken')
    expect(await cache.read(entry('one'), async () => ({ n: 2 }))).toEqual({ n: 2 })
    await cache.close()
    client.disconnect()
  })
})

test('without a Redis that answers, each server computes, and says so', async () => {
  const cache = await createRedisCache('redis://127.0.0.1:1', place(), MB, log)
  const compute = counting('value')
  for (let n = 0; n < 3; n++) expect(await cache.read(entry('one'), compute)).toBe('value')
  expect(compute.runs).toBe(1)
  await cache.clear(['photos'])
  await cache.read(entry('one'), compute)
  const { connected, groups } = await cache.stats()
  expect(connected).toBe(false)
  expect(groups.get('photos')).toEqual({ keys: 1, hits: 2, misses: 2 })
  await cache.close()
})

test.skipIf(!hasRedis)('a Redis that hangs holds up one request for a moment, and no other', async () => {
  await using process = await RedisProcess.start()
  const cache = await createRedisCache(process.url, place(), MB, log)
  await cache.read(entry('before'), async () => 'value')
  process.freeze()
  const compute = counting('value')
  const start = performance.now()
  for (let n = 0; n < 50; n++) expect(await cache.read(entry(`key ${n}`), compute)).toBe('value')
  // Without a pause after the first command, each of the others would wait as long.
  expect(performance.now() - start).toBeLessThan(50 * 200)
  expect(compute.runs).toBe(50)
  process.thaw()
  await cache.close()
})
