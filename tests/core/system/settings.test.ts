import { afterAll, expect, test } from 'bun:test'
import { Settings } from '../../../src/core/system/settings.ts'
import type { Db } from '../../../src/db/client.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { db } = server.ctx

/** The database, with a select whose rows arrive after `arrive` resolves. */
const slowly = (arrive: Promise<unknown>): Db =>
  ({
    select: () => ({
      from: (table: never) => ({
        async where(condition: never) {
          const rows = await db.select().from(table).where(condition)
          await arrive
          return rows
        },
      }),
    }),
  }) as unknown as Db

test('a read that began before an update does not bring back the old settings', async () => {
  const settings = new Settings()
  const { promise: arrive, resolve } = Promise.withResolvers<void>()
  const before = settings.current(slowly(arrive))
  await Bun.sleep(20)
  await settings.update(db, { maintenanceMode: true })
  resolve()
  expect((await before).maintenanceMode).toBe(false)
  expect((await settings.current(db)).maintenanceMode).toBe(true)
})
