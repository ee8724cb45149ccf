import { expect, test } from 'bun:test'
import { Kept } from '../../src/util/kept.ts'

test('a value is read once for all who ask at the same time, and not again before its time', async () => {
  let reads = 0
  const kept = new Kept(async () => ++reads, 60_000)
  await Promise.all([kept.refresh(1000), kept.refresh(1000)])
  await kept.refresh(1000)
  expect([kept.value, reads]).toEqual([1, 1])
  const always = new Kept(async () => ++reads, 0)
  await always.refresh(1000)
  await always.refresh(1000)
  expect(always.value).toBe(3)
})

test('a reading that fails has no value; one that hangs is not waited for, and counts when it ends', async () => {
  const failing = new Kept<number>(async () => Promise.reject(new Error('no')), 0)
  await failing.refresh(1000)
  expect(failing.value).toBeUndefined()
  const { promise, resolve } = Promise.withResolvers<number>()
  const hanging = new Kept(() => promise, 60_000)
  await hanging.refresh(1)
  expect(hanging.value).toBeUndefined()
  resolve(7)
  await hanging.refresh(1000)
  expect(hanging.value).toBe(7)
})

test('while a reading hangs, the value of the one before is gone', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const answers = [Promise.resolve(1), promise]
  const kept = new Kept(() => answers.shift()!, 0)
  await kept.refresh(1000)
  expect(kept.value).toBe(1)
  await kept.refresh(1)
  expect(kept.value).toBeUndefined()
  const waiting = kept.refresh(1000)
  resolve(2)
  await waiting
  expect(kept.value).toBe(2)
})
