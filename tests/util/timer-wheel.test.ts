import { afterEach, expect, spyOn, test } from 'bun:test'
import { TimerWheel } from '../../src/util/timer-wheel.ts'
import { eventually } from '../support/process.ts'
import { Random } from '../support/random.ts'

/** One round of the wheel. */
const ROUND_MS = 20_480

const wheels: TimerWheel<string>[] = []
afterEach(() => {
  for (const wheel of wheels.splice(0)) wheel.close()
})

/** A wheel, and what it has fired: the keys of each turn. `skip` moves its clock on. */
function open() {
  let ahead = 0
  const now = () => performance.now() + ahead
  const turns: string[][] = []
  const early: string[] = []
  const wheel = new TimerWheel<string>((due) => {
    turns.push(due.map(({ key }) => key))
    for (const { key, lagMs } of due) if (lagMs < 0) early.push(key)
  }, now)
  wheels.push(wheel)
  return {
    wheel,
    turns,
    early,
    set: (key: string, ms: number) => wheel.set(key, now() + ms),
    skip: (ms: number) => {
      ahead += ms
    },
  }
}

test('each timer fires once, none early, and those of one turn in their order', async () => {
  const random = Random.announced('timers')
  const { wheel, turns, early } = open()
  const due = new Map(
    Array.from({ length: 300 }, (_, n) => [`${n}`, performance.now() + random.between(-20, 120)]),
  )
  for (const [key, dueMs] of due) wheel.set(key, dueMs)
  expect(wheel.size).toBe(300)
  await eventually(() => turns.flat().length >= 300, 'all timers')
  expect(turns.flat().toSorted()).toEqual([...due.keys()].toSorted())
  expect(early).toEqual([])
  for (const turn of turns) {
    const times = turn.map((key) => due.get(key)!)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  }
  expect(wheel.size).toBe(0)
})

test('the newest time of a key counts, and a deleted key has none', async () => {
  const { wheel, turns, set } = open()
  set('sooner', 60_000)
  set('later', 0)
  set('deleted', 0)
  set('sooner', 10)
  set('later', 60_000)
  wheel.delete('deleted')
  wheel.delete('unknown')
  set('end', 40)
  await eventually(() => turns.flat().includes('end'), 'the last timer')
  expect(turns.flat()).toEqual(['sooner', 'end'])
  expect(wheel.size).toBe(1)
})

test('a timer of a later round waits in the slot of an earlier one', async () => {
  const { turns, early, set, skip } = open()
  set('next round', ROUND_MS + 30)
  set('this round', 30)
  await eventually(() => turns.flat().length > 0, 'the first timer')
  expect(turns.flat()).toEqual(['this round'])
  skip(ROUND_MS - 100)
  set('another', 0)
  await eventually(() => turns.flat().length === 3, 'the others')
  expect(turns.flat().toSorted()).toEqual(['another', 'next round', 'this round'])
  expect(early).toEqual([])
})

test('after a long pause of the process everything that is due fires in one turn', async () => {
  const { turns, set, skip } = open()
  for (let n = 0; n < 50; n++) set(`${n}`, n * 1200)
  set('far', 10 * ROUND_MS)
  skip(3 * ROUND_MS)
  await eventually(() => turns.flat().length >= 50, 'the timers')
  expect(turns).toEqual([Array.from({ length: 50 }, (_, n) => `${n}`)])
})

test('a timer of months sets none of the process that is longer than a round', () => {
  const timers = spyOn(globalThis, 'setTimeout')
  try {
    open().set('far', 1e11)
    expect(timers.mock.calls.map(([, ms]) => ms! <= ROUND_MS)).toEqual([true])
  } finally {
    timers.mockRestore()
  }
})

test('a closed wheel fires nothing and takes nothing', async () => {
  const { wheel, turns, set } = open()
  set('before', 0)
  wheel.close()
  set('after', 0)
  expect(wheel.size).toBe(0)
  await Bun.sleep(30)
  expect(turns).toEqual([])
})
