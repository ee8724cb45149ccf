import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import type { Context } from '../../../src/core/context.ts'
import { openSettings, systemConfig, updateSystemConfig } from '../../../src/core/system/settings.ts'
import type { Db } from '../../../src/db/client.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const { db } = ctx

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

/** Another server on the same database. */
const other = (): Context => ({
  ...ctx,
  services: { ...ctx.services, settings: openSettings({ databaseUrl: 'postgres://shared' }) },
})

test('a read that began before an update does not bring back the old settings', async () => {
  const selected = Promise.withResolvers<void>()
  const arrive = Promise.withResolvers<void>()
  const here = other()
  const before = systemConfig({ ...here, db: slowly(selected.resolve, arrive.promise) })
  await selected.promise
  await updateSystemConfig(here, SERVER, { maintenanceMode: true })
  arrive.resolve()
  expect((await before).maintenanceMode).toBe(false)
  expect((await systemConfig(here)).maintenanceMode).toBe(true)
})

test('a change that has returned acts on every server, also on one that has just read the old settings', async () => {
  const [one, two] = [other(), other()]
  for (const seconds of [11, 12, 13]) {
    await systemConfig(two)
    await updateSystemConfig(one, SERVER, { defaultTaskTimeout: seconds })
    expect((await systemConfig(two)).defaultTaskTimeout).toBe(seconds)
  }
})

test('concurrent updates of different settings are all kept, and so is a setting of a newer server', async () => {
  await db.execute(sql`
    insert into settings (key, value) values ('system', '{"of_a_newer_server": 1}')
    on conflict (key) do update set value = settings.value || excluded.value`)
  await Promise.all([
    updateSystemConfig(ctx, SERVER, { defaultTaskTimeout: 7 }),
    updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: 8 }),
    updateSystemConfig(ctx, SERVER, { taskPrices: { paid: 9 } }),
  ])
  expect(await systemConfig(ctx)).toMatchObject({
    defaultTaskTimeout: 7,
    maxConcurrentTasksPerUser: 8,
    taskPrices: { paid: 9 },
  })
  const [row] = await db.execute(
    sql`select value->'of_a_newer_server' as newer from settings where key = 'system'`,
  )
  expect(row).toEqual({ newer: 1 })
})
