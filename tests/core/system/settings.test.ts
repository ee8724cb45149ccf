import { afterAll, expect, test } from 'bun:test'
import { Settings } from '../../../src/core/system/settings.ts'
import type { Db } from '../../../src/db/client.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { db } = server.ctx

/** The database, with a select that calls `selected` when it has its rows and returns them after `arrive` resolves. */
const slowly = (selected: () => void, arrive: Promise<unknown>): Db =>
  ({
    select: () => ({
      from: (table: never) => ({
        async where(condition: never) {
          const rows = await db.select().from(table).where(condition)
          selected()
          await arrive
          return rows
        },
      }),
    }),
  }) as unknown as Db

test('a read that began before an update does not bring back the old settings', async () => {
  const settings = new Settings()
  const selected = Promise.withResolvers<void>()
  const arrive = Promise.withResolvers<void>()
  const before = settings.current(slowly(selected.resolve, arrive.promise))
  await selected.promise
  await settings.update(db, { maintenanceMode: true })
  arrive.resolve()
  expect((await before).maintenanceMode).toBe(false)
  expect((await settings.current(db)).maintenanceMode).toBe(true)
})
