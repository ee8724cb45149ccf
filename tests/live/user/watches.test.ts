import { afterAll, expect, test } from 'bun:test'
import type { ReadCurrent } from '../../../src/live/topics/topic.ts'
import { Watches } from '../../../src/live/user/watches.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

test('a kind of topic whose values cannot be read holds up no other kind', async () => {
  const watches = new Watches(server.ctx)
  const shown: object[] = []
  const watch = (key: string, readCurrent: ReadCurrent) =>
    watches.add({
      topic: { name: key, key, permits: () => true, readCurrent, render: String },
      asOf: 0,
      shown: undefined,
      changed: (value) => void shown.push(value),
      moved: () => {},
    })
  const endless = Promise.withResolvers<never>()
  watch('broken', () => Promise.reject(new Error('this kind is broken')))
  watch('slow', () => endless.promise)
  watch('sound', async (_, keys) => new Map(keys.map((key) => [key, { key }])))
  const polled = watches.poll()
  await Bun.sleep(0)
  expect(shown).toEqual([{ key: 'sound' }])
  endless.reject(new Error('this kind was slow'))
  await expect(polled).rejects.toThrow('this kind is broken')
  watches.close()
})
