import { expect, test } from 'bun:test'
import { Ages } from '../../src/util/ages.ts'

/** Ages in whole minutes, when the looks were at these times before now. */
function minutes(looks: { minutesAgo: number; seen: Record<string, number | null> }[], keys: string[]) {
  const ages = new Ages()
  const now = performance.now()
  for (const { minutesAgo, seen } of looks) {
    const rows = Object.entries(seen).map(([key, age]) => ({ key, seconds: age === null ? null : age * 60 }))
    ages.look(rows, now - minutesAgo * 60_000)
  }
  return keys.map((key) => {
    const age = ages.of(key)
    return age === undefined ? undefined : Math.floor(age / 60_000)
  })
}

test('the first look believes what is stored, later ones no more than the time since the one before', () => {
  const looks = [
    { minutesAgo: 10, seen: { old: 60, future: -60, unknown: null } },
    { minutesAgo: 5, seen: { old: 65, future: -55, unknown: null, fresh: 2, jumped: 3600 } },
  ]
  expect(minutes(looks, ['old', 'future', 'unknown', 'fresh', 'jumped'])).toEqual([70, 10, 10, 7, 10])
})

test('a step of the stored clock changes no age, and what is absent is forgotten', () => {
  const looks = [
    { minutesAgo: 10, seen: { a: 0, b: 0 } },
    { minutesAgo: 9, seen: { a: 3600 } },
    { minutesAgo: 8, seen: { a: -3600, b: 0 } },
  ]
  expect(minutes(looks, ['a', 'b', 'c'])).toEqual([10, 8, undefined])
})
