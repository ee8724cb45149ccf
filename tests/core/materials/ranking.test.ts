import { expect, test } from 'bun:test'
import type { Context } from '../../../src/core/context.ts'
import type { MaterialChange } from '../../../src/core/materials/hints.ts'
import { MaterialRanking } from '../../../src/core/materials/ranking.ts'

/** A ranking whose queries the test answers. */
function open() {
  const handlers: ((change: MaterialChange) => void)[] = []
  const readings: ((ids: number[]) => void)[] = []
  const query = {
    from: () => query,
    where: () => query,
    orderBy: () => query,
    as: () => ({ id: 'id' }),
    // biome-ignore lint/suspicious/noThenProperty: a query is awaited
    then: (resolve: (rows: { ids: number[] }[]) => void) => void readings.push((ids) => resolve([{ ids }])),
  }
  const ctx = {
    bus: { subscribe: (_: unknown, handler: (typeof handlers)[number]) => void handlers.push(handler) },
    db: { select: () => query },
  } as unknown as Context
  const ranking = new MaterialRanking(ctx)
  const page = () =>
    ranking.page({ type: undefined, sortBy: 'createdAt', sortOrder: 'asc', page: 1, pageSize: 10 })
  return { readings, page, apply: (id: number, active: boolean) => handlers[0]!({ id, type: 'pdf', active }) }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('what changes while the order is read is read once more', async () => {
  const { readings, page, apply } = open()
  const first = page()
  await turn()
  apply(3, true)
  apply(1, false)
  readings.shift()!([1, 2])
  await turn()
  expect(readings).toHaveLength(1)
  readings.shift()!([2, 3])
  expect(await first).toEqual({ ids: [2, 3], total: 2 })
})

test('what changes before or after needs no reading', async () => {
  const { readings, page, apply } = open()
  const first = page()
  await turn()
  readings.shift()!([1, 2])
  await first
  apply(3, true)
  apply(1, false)
  expect(await page()).toEqual({ ids: [2, 3], total: 2 })
  expect(readings).toEqual([])
})
