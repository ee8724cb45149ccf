/** The tables as the catalog has them, for dumping and loading rows of any schema version. */
import { getTableName, is, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import type { Db } from './client.ts'
import * as schema from './schema/index.ts'

export interface TableColumns {
  name: string
  /** Without those that the database computes. `type` is as in SQL, with its length or precision. */
  columns: { name: string; type: string }[]
}

/** Left out of backups: a log tells what happened on one installation. */
const NOT_ARCHIVED = ['system_logs']

/** The names of Roost's tables in this version that a backup contains. Another program may have tables in the same database. */
export const ownTables = (): string[] =>
  Object.values(schema)
    .filter((value) => is(value, PgTable))
    .map((table) => getTableName(table as PgTable))
    .filter((name) => !NOT_ARCHIVED.includes(name))
    .sort()

/** Those of the tables that exist, in the order of their names. */
export async function readTables(db: Db, names: readonly string[]): Promise<TableColumns[]> {
  const rows = await db.execute<{ table: string; name: string; type: string }>(sql`
    select c.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and a.attgenerated = '' and c.relname in (select json_array_elements_text(${JSON.stringify(names)}::text::json))
    order by c.relname collate "C", a.attnum`)
  const tables = Map.groupBy(rows, ({ table }) => table)
  return [...tables].map(([name, columns]) => ({
    name,
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
  }))
}

/** For a transaction that reads or writes a whole database, and may wait for a file in between. */
export async function liftTimeLimits(db: Db): Promise<void> {
  await db.execute(sql.raw('set local idle_in_transaction_session_timeout = 0'))
  await db.execute(sql.raw('set local statement_timeout = 0'))
}

/** Values are written and read as text: these settings decide how. */
export async function fixTextForms(db: Db): Promise<void> {
  for (const setting of [
    `datestyle = 'ISO, YMD'`,
    `intervalstyle = 'postgres'`,
    `timezone = 'UTC'`,
    `extra_float_digits = 1`,
    `bytea_output = 'hex'`,
  ])
    await db.execute(sql.raw(`set local ${setting}`))
}
