import { and, asc, gt, lte, sql } from 'drizzle-orm'
import { auditLog } from '../../db/schema/index.ts'
import { startOfDay } from '../../db/timestamps.ts'
import type { Context } from '../context.ts'
import type { StoredEntry } from './log.ts'

const ROWS = 1000

/** The entries of a day (YYYY-MM-DD, in UTC), the oldest first, in pieces. */
export async function* auditOfDay(
  { db }: Pick<Context, 'db'>,
  day: string,
): AsyncGenerator<StoredEntry[], void> {
  const from = startOfDay(day)
  const ofDay = sql`${auditLog.at} >= ${from} and ${auditLog.at} < ${from} + interval '24 hours'`
  // Without `offset 0` PostgreSQL would look for the first id from the beginning of the table.
  const [range] = await db.execute<{ first: number | null; last: number | null }>(sql`
    select min(id)::float8 as first, max(id)::float8 as last from (select id from ${auditLog} where ${ofDay} offset 0) of_day`)
  const { first, last } = range!
  if (first === null || last === null) return
  for (let after = first - 1; after < last; ) {
    const rows = await db
      .select()
      .from(auditLog)
      .where(and(gt(auditLog.id, after), lte(auditLog.id, last), ofDay))
      .orderBy(asc(auditLog.id))
      .limit(ROWS)
    yield rows
    if (rows.length < ROWS) return
    after = rows.at(-1)!.id
  }
}
