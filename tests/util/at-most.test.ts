import { expect, test } from 'bun:test'
import { atMost } from '../../src/util/at-most.ts'

test('at most so many tasks run at once, in their order, and a failure frees its place', async () => {
  const turn = atMost(2)
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
  const began: number[] = []
  const results = ends.map(({ promise }, n) =>
    turn(() => {
      began.push(n)
      return promise
    }).catch(String),
  )
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  await settle()
  expect(began).toEqual([0, 1])
  ends[1]!.reject('no')
  await settle()
  expect(began).toEqual([0, 1, 2])
  for (const [n, { resolve }] of ends.entries()) resolve(n)
  expect(await Promise.all(results)).toEqual([0, 'no', 2, 3, 4])
  expect(began).toEqual([0, 1, 2, 3, 4])
  expect(await turn(async () => 6)).toBe(6)
})
