import { DrizzleQueryError, sql } from 'drizzle-orm'
import type { Db } from './client.ts'

type Row = Record<string, unknown>
interface Result extends Array<Row> {
  columns?: { name: string; type: number }[]
}

const TRANSACTION = /^\s*BEGIN;([\s\S]*)COMMIT;\s*$/
/** uuid[]: the driver does not ask the database for array types, and returns such values as text. */
const UUID_ARRAY = 2951

/**
 * Runs SQL that a library wrote, on a database or transaction of this server: one statement with `$1`, `$2`… for `values`,
 * or several without values. Values are bound, never written into the text. Returns the rows of all statements.
 * @throws the driver's error: the library may look into its message, and Drizzle's has the whole text in it
 */
export async function runSql<T extends object = Row>(
  db: Db,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  try {
    return (await execute(db, text, values)) as T[]
  } catch (error) {
    throw error instanceof DrizzleQueryError && error.cause ? error.cause : error
  }
}

async function execute(db: Db, text: string, values: unknown[]): Promise<Row[]> {
  if (values.length > 0) return decode((await db.execute(bind(text, values))) as Result)
  // The library's own BEGIN and COMMIT are left out: a failure between them would leave a connection of the pool in a
  // broken transaction.
  const body = TRANSACTION.exec(text)?.[1]
  const result = await (body === undefined
    ? db.execute(sql.raw(text))
    : db.transaction((tx) => tx.execute(sql.raw(body))))
  // Of several statements the driver returns one list of rows each.
  const lists = result.some(Array.isArray) ? (result as unknown as Result[]) : [result as Result]
  return lists.flatMap(decode)
}

function bind(text: string, values: unknown[]) {
  // The odd parts are the numbers of the placeholders.
  const parts = text.split(/\$(\d+)/)
  return sql.join(
    parts.map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql.param(encode(values[Number(part) - 1])))),
  )
}

function encode(value: unknown): unknown {
  if (Array.isArray(value)) return `{${value.map((item) => JSON.stringify(String(item))).join()}}`
  return value?.constructor === Object ? JSON.stringify(value) : value
}

function decode(rows: Result): Row[] {
  const arrays = (rows.columns ?? []).filter(({ type }) => type === UUID_ARRAY).map(({ name }) => name)
  if (arrays.length === 0) return rows
  const list = (text: unknown) => (text as string | null)?.slice(1, -1).split(',').filter(Boolean)
  return rows.map((row) => ({ ...row, ...Object.fromEntries(arrays.map((name) => [name, list(row[name])])) }))
}
