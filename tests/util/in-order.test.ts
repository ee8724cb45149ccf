import { expect, test } from 'bun:test'
import { inOrder } from '../../src/util/in-order.ts'

async function* count(to: number) {
  for (let n = 0; n < to; n++) yield n
}

test('results come in the order of the values, from a limited number of calls at once', async () => {
  let running = 0
  let most = 0
  const results = inOrder(count(20), 4, async (n) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < (n * 7) % 5; turn++) await Promise.resolve()
    running--
    return n
  })
  expect(await Array.fromAsync(results)).toEqual([...Array(20).keys()])
  expect(most).toBeGreaterThan(1)
  expect(most).toBeLessThanOrEqual(4)
})

test('a failure is thrown in its turn, and no call runs afterwards', async () => {
  let running = 0
  const seen: number[] = []
  const read = async () => {
    const results = inOrder(count(20), 4, async (n) => {
      running++
      await new Promise(setImmediate)
      running--
      if (n === 5) throw new Error('five')
      return n
    })
    for await (const n of results) seen.push(n)
  }
  await expect(read()).rejects.toThrow('five')
  expect(seen).toEqual([0, 1, 2, 3, 4])
  expect(running).toBe(0)
})
