/** The embedded database has no autovacuum: a schedule of the server does its work. */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { checkpointWhenDue } from '../../src/db/checkpoints.ts'
import { maintain } from '../../src/db/maintenance.ts'
import { eventually } from '../support/process.ts'
import { query, startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

const figures = async () => {
  const [row] = await query(
    server,
    sql`select n_dead_tup::int as dead, n_mod_since_analyze::int as changes from pg_stat_user_tables where relname = 'settings'`,
  )
  return row as { dead: number; changes: number }
}

const isEmbedded = server.ctx.config.databaseUrl === undefined

// On PostgreSQL, autovacuum would be quicker now and then.
test.skipIf(!isEmbedded)('tables with many dead rows or changes are worked on, and no others', async () => {
  await query(
    server,
    sql`insert into settings (key, value) select 'k' || n, '{}' from generate_series(1, 500) n`,
  )
  await query(server, sql`update settings set value = '{"a": 1}' where key like 'k%'`)
  // The database updates these figures at most once a second.
  await eventually(async () => (await figures()).dead === 500, 'the database knows of the dead rows')
  expect(await maintain(server.ctx.db)).toBeGreaterThan(0)
  expect(await figures()).toEqual({ dead: 0, changes: 0 })
  expect(await maintain(server.ctx.db)).toBe(0)
})

test.skipIf(!isEmbedded)(
  'the pages of many new rows are marked as visible to everybody, so that a count reads only the index',
  async () => {
    await query(
      server,
      sql`insert into settings (key, value) select 'n' || n, '{}' from generate_series(1, 2500) n`,
    )
    const known = async () => {
      const [row] = await query(
        server,
        sql`select n_ins_since_vacuum::int as n from pg_stat_user_tables where relname = 'settings'`,
      )
      return row!.n as number
    }
    await eventually(async () => (await known()) >= 2500, 'the database knows of the new rows')
    await maintain(server.ctx.db)
    const [table] = await query(
      server,
      sql`select relallvisible >= relpages and relpages > 0 as "isVisible" from pg_class where relname = 'settings'`,
    )
    expect(table).toEqual({ isVisible: true })
  },
)

test.skipIf(!isEmbedded)(
  'a checkpoint ends a long log of changes, so that it does not grow for ever',
  async () => {
    const { db } = server.ctx
    await checkpointWhenDue(db)
    for (let file = 0; file < 5; file++) {
      await query(server, sql`select pg_logical_emit_message(false, 'test', 'x')`)
      await query(server, sql`select pg_switch_wal()`)
    }
    expect(await checkpointWhenDue(db)).toBe(true)
    expect(await checkpointWhenDue(db)).toBe(false)
  },
)
