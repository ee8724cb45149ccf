import { afterAll, describe, expect, test } from 'bun:test'
import { type Bus, defineHint } from '../../src/bus/bus.ts'
import { createEmbeddedBus } from '../../src/bus/embedded.ts'
import { createRedisBus } from '../../src/bus/redis.ts'
import { createLogger } from '../../src/util/logger.ts'
import { SteppedClock } from '../support/clock.ts'
import { unique } from '../support/factories.ts'

const log = createLogger('silent')
const redis = process.env.TEST_REDIS_URL
const epoch = unique('epoch')
const greeting = defineHint<{ userId: number }>('greeting')
const bell = defineHint<null>('bell')

async function eventually(check: () => boolean): Promise<void> {
  for (let i = 0; !check(); i++) {
    if (i > 200) throw new Error('did not happen')
    await Bun.sleep(10)
  }
}

const kinds: [string, (stateTtlMs?: number) => Promise<Bus>][] = [
  ['embedded', async (ttl) => createEmbeddedBus(log, ttl)],
]
if (redis) kinds.push(['redis', (ttl) => createRedisBus(redis, epoch, log, ttl)])

describe.each(kinds)('the %s bus', (_, open) => {
  const opened = open()
  afterAll(async () => (await opened).close())

  test('delivers hints to its own server at once, and survives a listener that throws', async () => {
    const bus = await opened
    const heard: { userId: number }[] = []
    bus.subscribe(greeting, () => {
      throw new Error('broken listener')
    })
    bus.subscribe(greeting, (hint) => heard.push(hint))
    bus.publish(greeting, { userId: 7 })
    expect(heard).toEqual([{ userId: 7 }])
  })

  test('keeps the newest state of a key and forgets it on undefined', async () => {
    const bus = await opened
    const key = unique('gpu:server:')
    const changes: (object | undefined)[] = []
    bus.onState((changed, value) => {
      if (changed === key) changes.push(value)
    })
    bus.setState(key, { n: 1 })
    bus.setState(key, { n: 2 })
    expect(bus.getState(key)).toEqual({ n: 2 })
    bus.setState(key, undefined)
    expect(bus.getState(key)).toBeUndefined()
    expect(changes).toEqual([{ n: 1 }, { n: 2 }, undefined])
  })

  test('a state that no server renews ends, and its handlers are called', async () => {
    const bus = await open(400)
    const [lost, renewed, ended] = [unique('task:'), unique('task:'), unique('task:')]
    const ends: string[] = []
    bus.onState((key, value) => void (value ?? ends.push(key)))
    for (const key of [lost, renewed, ended]) bus.setState(key, { n: 1 })
    bus.setState(ended, undefined)
    const renewal = setInterval(() => bus.setState(renewed, { n: 2 }), 20)
    await eventually(() => bus.getState(lost) === undefined)
    expect(bus.getState(renewed)).toEqual({ n: 2 })
    expect(bus.stateAge(renewed)).toBeWithin(0, 400)
    clearInterval(renewal)
    await eventually(() => bus.getState(renewed) === undefined)
    expect(ends).toEqual([ended, lost, renewed])
    await bus.close()
  })

  test('a value can be taken once, even by two at the same moment, and not after its time', async () => {
    const bus = await opened
    const key = unique('ticket:')
    await bus.put(key, 'value', 5000)
    const taken = await Promise.all([bus.take(key), bus.take(key), bus.take(key)])
    expect(taken.filter(Boolean)).toEqual(['value'])
    await bus.put(key, 'late', 20)
    await Bun.sleep(60)
    expect(await bus.take(key)).toBeUndefined()
  })

  test('a counter counts up to its maximum, within the window that the first increment opens', async () => {
    const bus = await opened
    const key = unique('limit:')
    const increment = () => bus.increment(key, 300, 4)
    const counts = await Promise.all(Array.from({ length: 6 }, increment))
    expect(counts.map(({ count }) => count).sort()).toEqual([1, 2, 3, 4, 5, 5])
    for (const { resetMs } of counts) expect(resetMs).toBeWithin(1, 301)
    await Bun.sleep(350)
    expect((await increment()).count).toBe(1)
  })

  test('a decrement leaves the window of a counter as it is; at zero the counter ends', async () => {
    const bus = await opened
    const key = unique('limit:')
    const increment = (windowMs: number) => bus.increment(key, windowMs, 10)
    await bus.decrement(key)
    await increment(60_000)
    await increment(90_000)
    await bus.decrement(key)
    const kept = await increment(90_000)
    expect(kept.count).toBe(2)
    expect(kept.resetMs).toBeWithin(1, 60_001)
    await Promise.all([bus.decrement(key), bus.decrement(key), bus.decrement(key)])
    const anew = await increment(90_000)
    expect(anew.count).toBe(1)
    expect(anew.resetMs).toBeWithin(60_001, 90_001)
  })
})

test('values and counters of the embedded bus do not expire by the wall clock', async () => {
  using clock = new SteppedClock()
  const bus = createEmbeddedBus(log)
  await bus.put('ticket', 'value', 60_000)
  await bus.increment('limit', 60_000, 10)
  clock.step(3_600_000)
  expect((await bus.increment('limit', 60_000, 10)).count).toBe(2)
  clock.step(-2 * 3_600_000)
  const { count, resetMs } = await bus.increment('limit', 60_000, 10)
  expect(count).toBe(3)
  expect(resetMs).toBeWithin(1, 60_001)
  clock.step(3 * 3_600_000)
  expect(await bus.take('ticket')).toBe('value')
  await bus.close()
})

describe.if(redis !== undefined)('two servers on one Redis', () => {
  test('hear each other’s hints and states, once; a third server that starts later has the states', async () => {
    const [a, b, stranger] = await Promise.all([
      createRedisBus(redis!, epoch, log),
      createRedisBus(redis!, epoch, log),
      createRedisBus(redis!, unique('other'), log),
    ])
    const heard: string[] = []
    a.subscribe(bell, () => heard.push('a'))
    b.subscribe(bell, () => heard.push('b'))
    stranger.subscribe(bell, () => heard.push('stranger'))
    a.publish(bell, null)
    const key = unique('task:')
    a.setState(key, { progress: 40 })
    await eventually(() => heard.length === 2 && b.getState(key) !== undefined)
    await Bun.sleep(50)
    expect(heard).toEqual(['a', 'b'])
    expect(b.getState(key)).toEqual({ progress: 40 })
    expect(stranger.getState(key)).toBeUndefined()
    const late = await createRedisBus(redis!, epoch, log)
    expect(late.getState(key)).toEqual({ progress: 40 })
    a.setState(key, undefined)
    await eventually(() => b.getState(key) === undefined)
    await Promise.all([a, b, stranger, late].map((bus) => bus.close()))
  })

  test('a Redis that does not answer gives one readable message at start', async () => {
    await expect(createRedisBus('redis://127.0.0.1:1', epoch, log)).rejects.toThrow("can't be used")
  })
})
