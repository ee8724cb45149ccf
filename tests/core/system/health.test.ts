import { expect, test } from 'bun:test'
import type { Context } from '../../../src/core/context.ts'
import { checkHealth } from '../../../src/core/system/health.ts'

const withPing = (ping: () => Promise<unknown>) => ({ bus: { ping } }) as Context

test('a part that answers is healthy', async () => {
  const { bus } = await checkHealth(
    withPing(async () => 1),
    ['bus'],
  )
  expect(bus.healthy).toBe(true)
})

test.each([
  ['rejects', () => Promise.reject(new Error('refused'))],
  [
    'throws before it gives a promise',
    () => {
      throw new Error('closed')
    },
  ],
])('a part whose probe %s is not healthy', async (_, ping) => {
  const { bus } = await checkHealth(withPing(ping), ['bus'])
  expect(bus.healthy).toBe(false)
})
