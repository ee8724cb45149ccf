import { expect, test } from 'bun:test'
import { createEmbeddedBus } from '../../../src/bus/embedded.ts'
import { PhotoAggregates } from '../../../src/core/photo-index/aggregates.ts'
import { photosChangedHint } from '../../../src/core/photo-index/hints.ts'
import { createLogger } from '../../../src/util/logger.ts'

test('a query runs once until a photo changes, however many wait for its answer', async () => {
  const bus = createEmbeddedBus(createLogger('silent'))
  const aggregates = new PhotoAggregates(bus)
  let runs = 0
  /** Like a query of Drizzle, which runs each time somebody awaits it. */
  const query = () => ({
    // biome-ignore lint/suspicious/noThenProperty: this is what the test is about
    then: (resolve: (count: number) => void) => resolve(++runs),
  })
  const ask = () => aggregates.get('tags', query as unknown as () => Promise<number>)
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1])
  expect(await ask()).toBe(1)
  bus.publish(photosChangedHint, {})
  expect(await ask()).toBe(2)
})
