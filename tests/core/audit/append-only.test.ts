/** What the database allows with entries of the audit log: to add them, and to delete old ones by one function. */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { auditLog } from '../../../src/db/schema/index.ts'
import { startServer } from '../../support/server.ts'

const { ctx, stop } = await startServer()
afterAll(stop)
const { db } = ctx

const addAged = (days: number, action = `aged.${days}`) =>
  db.insert(auditLog).values({ action, at: sql`now() - make_interval(days => ${days})` })
const actions = async () =>
  (await db.select().from(auditLog).where(sql`action like 'aged.%'`).orderBy(auditLog.id)).map(
    (row) => row.action,
  )
const trimmed = async (days: number) => {
  const [row] = await db.execute<{ n: number }>(sql`select trim_audit_log(${days}::int, 100) as n`)
  return row!.n
}
/** The text of PostgreSQL's error; Drizzle's own holds the query. */
const refusal = (statement: string) =>
  db.execute(sql.raw(statement)).then(
    () => 'done',
    (error: { cause?: Error }) => error.cause?.message ?? String(error),
  )

test('the database refuses to change an entry, and to delete one', async () => {
  await addAged(0)
  await addAged(400)
  for (const statement of [`update audit_log set action = 'x'`, 'truncate audit_log']) {
    expect(await refusal(statement)).toBe('rows of audit_log can only be added')
  }
  expect(await refusal('delete from audit_log')).toContain('only be deleted by trim_audit_log')
  // The setting alone does not open the door to young entries.
  expect(await refusal(`set roost.trims_audit_log = 'on'; delete from audit_log`)).toContain('after 30 days')
  expect(await actions()).toEqual(['aged.0', 'aged.400'])
})

test('the cleanup deletes entries of more than so many days, at most so many at once, and none of less than 30 days', async () => {
  await addAged(366)
  expect(await trimmed(365)).toBe(2)
  expect(await actions()).toEqual(['aged.0'])
  await addAged(31)
  await addAged(29)
  expect(await refusal('select trim_audit_log(10, 100)')).toContain('after 30 days')
  expect(await trimmed(30)).toBe(1)
  expect(await actions()).toEqual(['aged.0', 'aged.29'])
})
