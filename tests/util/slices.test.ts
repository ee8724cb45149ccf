import { expect, test } from 'bun:test'
import { inSlices, OverBudget, Slices } from '../../src/util/slices.ts'

/** A computation that takes time. */
const work = (ms: number) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('a computation within its budget ends, and others have their turn in between', async () => {
  const slices = new Slices(60_000)
  let turns = 0
  const counting = setInterval(() => turns++)
  for (let i = 0; i < 5; i++) {
    work(10)
    await slices.step()
  }
  clearInterval(counting)
  expect(turns).toBeGreaterThan(2)
})

test('one beyond it is told so', async () => {
  const slices = new Slices(20)
  const run = async () => {
    for (let i = 0; i < 10; i++) {
      work(10)
      await slices.step()
    }
  }
  await expect(run()).rejects.toBeInstanceOf(OverBudget)
})

test('a generator runs in slices, and its result is that of the whole', async () => {
  let turns = 0
  const counting = setInterval(() => turns++)
  const sum = await inSlices(
    (function* () {
      let sum = 0
      for (let i = 1; i <= 5; i++) {
        work(10)
        sum += i
        yield
      }
      return sum
    })(),
  )
  clearInterval(counting)
  expect(sum).toBe(15)
  expect(turns).toBeGreaterThan(2)
})
