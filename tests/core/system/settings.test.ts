import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
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

test('concurrent updates of different settings are all kept, and so is a setting of a newer server', async () => {
  const settings = new Settings()
  await db.execute(sql`
    insert into settings (key, value) values ('system', '{"of_a_newer_server": 1}')
    on conflict (key) do update set value = settings.value || excluded.value`)
  await Promise.all([
    settings.update(db, { defaultTaskTimeout: 7 }),
    settings.update(db, { maxConcurrentTasksPerUser: 8 }),
    settings.update(db, { taskPrices: { paid: 9 } }),
  ])
  expect(await settings.current(db)).toMatchObject({
    defaultTaskTimeout: 7,
    maxConcurrentTasksPerUser: 8,
    taskPrices: { paid: 9 },
  })
  const [row] = await db.execute(
    sql`select value->'of_a_newer_server' as newer from settings where key = 'system'`,
  )
  expect(row).toEqual({ newer: 1 })
})
