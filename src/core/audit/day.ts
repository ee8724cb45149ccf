import { asc } from 'drizzle-orm'
import { rowsOfDay } from '../../db/rows-of-day.ts'
import { auditLog } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

/** The entries of a day (YYYY-MM-DD, in UTC), the oldest first, in pieces. */
export const auditOfDay = ({ db }: Pick<Context, 'db'>, day: string) =>
  rowsOfDay(db, auditLog, day, (where, limit) =>
    db.select().from(auditLog).where(where).orderBy(asc(auditLog.id)).limit(limit),
  )
