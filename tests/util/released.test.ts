import { expect, test } from 'bun:test'
import { released } from '../../src/util/released.ts'

async function* chunks(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all
}

test('a chunk is whole until the next one is asked for, then its memory is given back', async () => {
  const [first, second] = [new Uint8Array([1, 2]), new Uint8Array([3])]
  const reading = released(chunks(first, second))
  expect((await reading.next()).value).toEqual(new Uint8Array([1, 2]))
  expect((await reading.next()).value).toEqual(new Uint8Array([3]))
  expect(first.byteLength).toBe(0)
  expect(second.byteLength).toBe(1)
  expect((await reading.next()).done).toBe(true)
  expect(second.byteLength).toBe(0)
})

test('chunks that share their memory keep it', async () => {
  const whole = new Uint8Array([1, 2, 3, 4])
  const seen: number[] = []
  for await (const chunk of released(chunks(whole.subarray(0, 2), whole.subarray(2)))) seen.push(...chunk)
  expect(seen).toEqual([1, 2, 3, 4])
  expect(whole.byteLength).toBe(4)
})
