import { afterAll, describe, expect, test } from 'bun:test'
import { digest } from './digest.ts'
import { bytes, kinds } from './kinds.ts'

const MB = 1024 * 1024

describe.each(kinds)('the storage on %s', (_, open) => {
  const opened = open()
  afterAll(async () => (await opened).remove())

  test('holds no whole file in memory', async () => {
    const { storage } = await opened
    const SIZE = 100 * MB
    const rss = () => process.memoryUsage().rss
    await storage.write('memory/warm.mp4', bytes(12 * MB))
    let peak = 0
    // Garbage does not count, because the garbage collector decides how long it stays.
    async function* watched(body: AsyncIterable<Uint8Array>) {
      let next = 0
      let at = 0
      for await (const chunk of body) {
        at += chunk.byteLength
        if (at > next) {
          next += 16 * MB
          Bun.gc(true)
        }
        peak = Math.max(peak, rss())
        yield chunk
      }
    }
    Bun.gc(true)
    const before = rss()
    await storage.write('memory/a.mp4', watched(bytes(SIZE)))
    const { size } = await digest(watched((await storage.read('memory/a.mp4'))!.body))
    expect(size).toBe(SIZE)
    await storage.delete(['memory/a.mp4', 'memory/warm.mp4'])
    expect((peak - before) / MB).toBeLessThan(64)
  }, 15_000)
})
