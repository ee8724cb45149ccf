import { afterAll, expect, test } from 'bun:test'
import { createEmbeddedBus } from '../../../src/bus/embedded.ts'
import { eventsHint } from '../../../src/core/channel/hints.ts'
import type { ReadCurrent } from '../../../src/live/topics/topic.ts'
import { Watches } from '../../../src/live/user/watches.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

function open() {
  const bus = createEmbeddedBus(server.ctx.log)
  const watches = new Watches({ ...server.ctx, bus })
  const shown: object[] = []
  const watch = (key: string, readCurrent: ReadCurrent) =>
    watches.add({
      topic: { name: key, key, permits: () => true, readCurrent, render: String },
      asOf: 0,
      shown: undefined,
      changed: (value) => void shown.push(value),
      moved: () => {},
    })
  return { bus, watches, shown, watch }
}

test('states that change together are read together, also those that end', async () => {
  const { bus, watches, shown, watch } = open()
  const reads: string[][] = []
  const readCurrent: ReadCurrent = async (_, keys) => {
    reads.push(keys)
    return new Map(keys.map((key) => [key, { key }]))
  }
  const uuids = Array.from({ length: 100 }, () => crypto.randomUUID())
  const keys = uuids.map((uuid) => `task_status:${uuid}`)
  for (const key of keys) watch(key, readCurrent)
  watch('a state', readCurrent)
  const at = new Date().toISOString()
  for (const [i, uuid] of uuids.entries()) {
    const data = JSON.stringify({ task_id: uuid })
    bus.publish(eventsHint, [{ userId: 0, seq: i + 1, type: 'task.cancelled', data, at }])
  }
  bus.setState('a state', { key: 'a state' })
  bus.setState('a state', undefined)
  await eventually(() => shown.length >= 102, 'all states')
  expect(reads).toEqual([[...keys, 'a state']])
  watches.close()
})

test('a kind of topic whose values cannot be read holds up no other kind', async () => {
  const { watches, shown, watch } = open()
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
