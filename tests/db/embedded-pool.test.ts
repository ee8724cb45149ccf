/** Protects all other tests: a server never finds what an earlier test has left in its embedded database. */
import { describe, expect, test } from 'bun:test'
import type postgres from 'postgres'
import { openEmbedded } from '../../src/db/driver.ts'
import { borrowEmbedded } from '../support/embedded-pool.ts'
import { startServer } from '../support/server.ts'

/** @returns which database it was, and all rows, numbers, statistics and leftovers of sessions in it before `change` */
async function borrow(change: string) {
  const database = await borrowEmbedded()
  const sql = openEmbedded(database)
  const contents = await readAll(sql)
  await sql.unsafe(change)
  await sql.end()
  await database.close()
  return { at: database.socketPath, contents }
}

async function readAll(sql: postgres.Sql) {
  await sql`select pg_stat_force_next_flush()`
  const relations = await sql`
    select format('%I.%I', nspname, relname) as name, relkind as kind, reltuples::int as rows
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'S') and nspname not in ('pg_catalog', 'information_schema') order by 1`
  const contents: unknown[] = []
  for (const { name, kind, rows } of relations) {
    const look = kind === 'S' ? `last_value, is_called from ${name}` : `* from ${name} t order by t::text`
    contents.push([name, rows, [...(await sql.unsafe(`select ${look}`))]])
  }
  const others = await sql.unsafe(`
    select current_setting('work_mem') as setting,
      (select sum(n_tup_ins)::int from pg_stat_user_tables) as inserted,
      pg_relation_size('tags')::int as bytes,
      (select count(*)::int from pg_stats where schemaname = 'public') as columns,
      (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
      (select count(*)::int from pg_listening_channels()) as channels,
      (select count(*)::int from pg_prepared_statements where name = 'left') as statements`)
  return [...contents, ...others]
}

test('a database that was used is as a new one', async () => {
  const fresh = await borrow(`
    insert into settings (key, value) values ('system', '{}');
    insert into tags (name, name_key, slug, pinyin, initials) select n, n, n, n, n from generate_series(1, 2000) n;
    update pgboss.queue set retry_limit = 99;
    analyze;
    set work_mem = '64kB';
    select pg_advisory_lock(1);
    listen changes;
    prepare "left" as select 1`)
  expect(await borrow('')).toEqual(fresh)
})

// With TEST_DATABASE_URL, servers have no embedded database.
test.skipIf(process.env.TEST_DATABASE_URL !== undefined)(
  'a server uses the database of the one before it',
  async () => {
    const { at } = await borrow('')
    const server = await startServer()
    await server.stop()
    expect((await borrow('')).at).toBe(at)
  },
)

describe('a database is used no more', () => {
  test.each(['alter table tags add column more int', 'alter sequence tags_id_seq increment by 2'])(
    'after %s',
    async (change) => {
      const before = await borrow(change)
      const after = await borrow('')
      expect(after.at).not.toBe(before.at)
      expect(after.contents).toEqual(before.contents)
    },
  )
})
