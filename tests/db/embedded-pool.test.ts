/** Protects all other tests: a server never finds what an earlier test has left in its embedded database. */
import { expect, test } from 'bun:test'
import type postgres from 'postgres'
import { openEmbedded } from '../../src/db/driver.ts'
import { borrowEmbedded } from '../support/embedded-pool.ts'

/** @returns which database it was, and all rows, numbers and statistics of it before `change` */
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
  const relations = await sql`
    select format('%I.%I', nspname, relname) as name, relkind as kind, reltuples::int as rows
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'S') and nspname not in ('pg_catalog', 'information_schema') order by 1`
  const contents: unknown[] = []
  for (const { name, kind, rows } of relations) {
    const look = kind === 'S' ? `last_value, is_called from ${name}` : `* from ${name} t order by t::text`
    contents.push([name, rows, [...(await sql.unsafe(`select ${look}`))]])
  }
  return contents
}

test('a database that was used is as a new one; one with other tables is used no more', async () => {
  const fresh = await borrow(`
    insert into settings (key, value) values ('system', '{}');
    insert into tags (name, name_key, slug, pinyin, initials) select n, n, n, n, n from generate_series(1, 2000) n;
    update pgboss.queue set retry_limit = 99;
    analyze`)
  const used = await borrow('alter table tags add column more int')
  expect(used).toEqual(fresh)
  const other = await borrow('')
  expect(other.at).not.toBe(used.at)
  expect(other.contents).toEqual(fresh.contents)
})
