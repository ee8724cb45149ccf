import { expect, test } from 'bun:test'
import { runSql } from '../../src/db/foreign-sql.ts'
import { openServers } from '../jobs/support.ts'

test('the SQL of a library runs as it would on a driver of its own', async () => {
  await using servers = await openServers(1)
  const { db } = servers.databases[0]!
  const ids = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  const rows = await runSql(
    db,
    `select $1::text as text, $2::uuid[] as ids, ($3::jsonb)->>'a' as field, $1 || $1 as twice,
            array_length($4::text[], 1) as length, ($4::text[])[1] as first`,
    [`it's $2`, ids, { a: 'b' }, ['x "y" \\z,', 'w']],
  )
  expect(rows).toEqual([
    { text: `it's $2`, ids, field: 'b', twice: `it's $2it's $2`, length: 2, first: 'x "y" \\z,' },
  ])
  expect(await runSql(db, `select '{}'::uuid[] as ids`)).toEqual([{ ids: [] }])
  expect(await runSql(db, `select $1::text as none`, [null])).toEqual([{ none: null }])

  // Several statements, of which one in the middle has the rows.
  const block = (text: string) => `\n BEGIN;\n SET LOCAL lock_timeout = 30000; ${text}; COMMIT;\n `
  expect(await runSql(db, block('select 1 as n; select 2 as n'))).toEqual([{ n: 1 }, { n: 2 }])

  // A block that fails leaves no connection in its transaction, with the changes undone.
  await runSql(db, 'create table t (n int)')
  for (let i = 0; i < 12; i++) {
    await expect(runSql(db, block('insert into t values (1); select 1 / 0'))).rejects.toThrow()
  }
  const counts = await Promise.all(
    Array.from({ length: 12 }, () => runSql(db, 'select count(*)::int as n from t')),
  )
  expect(new Set(counts.map(([row]) => row!.n))).toEqual(new Set([0]))
})
