import { expect, test } from 'bun:test'
import { released } from '../../src/util/released.ts'

async function* chunks(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all
}
const filled = (size: number, value: number) => new Uint8Array(size).fill(value)

test('a chunk is whole until the next one is asked for, then its memory is given back', async () => {
  const [first, second] = [filled(2000, 1), filled(3000, 2)]
  const reading = released(chunks(first, second))
  expect((await reading.next()).value).toEqual(filled(2000, 1))
  expect((await reading.next()).value).toEqual(filled(3000, 2))
  expect(first.byteLength).toBe(0)
  expect(second.byteLength).toBe(3000)
  expect((await reading.next()).done).toBe(true)
  expect(second.byteLength).toBe(0)
})

test('chunks that share their memory keep it', async () => {
  const whole = filled(4000, 1)
  let seen = 0
  for await (const chunk of released(chunks(whole.subarray(0, 2000), whole.subarray(2000))))
    seen += chunk.byteLength
  expect(seen).toBe(4000)
  expect(whole.byteLength).toBe(4000)
})

test('a small chunk keeps its memory: whoever made it may use it again', async () => {
  const reused = filled(256, 1)
  for await (const _ of released(chunks(reused, reused))) expect(reused.byteLength).toBe(256)
  expect(reused.byteLength).toBe(256)
})
