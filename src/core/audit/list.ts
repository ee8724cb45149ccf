import { and, desc, eq, gt, gte, ilike, like, lt, max, or, type SQL, sql } from 'drizzle-orm'
import { countWithin, pageWithin } from '../../db/bounded-list.ts'
import { likeLiteral } from '../../db/like.ts'
import { auditLog } from '../../db/schema/index.ts'
import { startOfDay } from '../../db/timestamps.ts'
import type { Context } from '../context.ts'
import type { StoredEntry } from './log.ts'

export interface AuditFilter {
  /** Entries by this user, or about this user or their data. */
  userId?: number | undefined
  /** An action, such as `photo.deleted`, or all actions of one noun, such as `photo`. */
  action?: string | undefined
  targetType?: string | undefined
  targetId?: string | undefined
  requestId?: string | undefined
  /** YYYY-MM-DD, in UTC, both inclusive. */
  from?: string | undefined
  to?: string | undefined
  /** A part of the actor's name, of the action, of the target's id, of the address, of the request's id, or of the details. */
  search?: string | undefined
  /** Entries with a lower id: older ones. */
  before?: number | undefined
}

/**
 * No index serves a search, so it reads the entries themselves: those with so many of the newest ids that the days and `before`
 * admit.
 */
const MAX_SEARCHED = 500_000

/** The entries of a page, the newest first. Where pages and searches end, `before` leads further. */
export async function listAudit(
  ctx: Context,
  filter: AuditFilter,
  page: { page: number; pageSize: number },
): Promise<{ entries: StoredEntry[]; total: number }> {
  const where = and(conditionOf(filter), await searchOf(ctx, filter))
  const { offset, limit } = pageWithin(page)
  const [total, entries] = await Promise.all([
    countWithin(ctx.db, ctx.db.select({ one: sql`1` }).from(auditLog).where(where)),
    ctx.db.select().from(auditLog).where(where).orderBy(desc(auditLog.id)).limit(limit).offset(offset),
  ])
  return { entries, total }
}

const searched = sql`concat_ws(' ', ${auditLog.actorName}, ${auditLog.action}, ${auditLog.targetId}, ${auditLog.ip},
  ${auditLog.requestId}, ${auditLog.details}::text)`

async function searchOf({ db }: Context, { search, to, before }: AuditFilter): Promise<SQL | undefined> {
  if (!search) return undefined
  // A value of its own, because the planner would take a third of all entries for newer than the result of a subquery.
  const [newest] = await db
    .select({ id: max(auditLog.id) })
    .from(auditLog)
    .where(conditionOf({ to, before }))
  return and(gt(auditLog.id, (newest!.id ?? 0) - MAX_SEARCHED), ilike(searched, `%${likeLiteral(search)}%`))
}

function conditionOf(filter: AuditFilter): SQL | undefined {
  const { userId, action, targetType, targetId, requestId, from, to, before } = filter
  return and(
    userId === undefined ? undefined : or(eq(auditLog.actorId, userId), eq(auditLog.subjectId, userId)),
    action === undefined ? undefined : isAction(action),
    targetType === undefined ? undefined : eq(auditLog.targetType, targetType),
    targetId === undefined ? undefined : eq(auditLog.targetId, targetId),
    requestId === undefined ? undefined : eq(auditLog.requestId, requestId),
    from === undefined ? undefined : gte(auditLog.at, startOfDay(from)),
    to === undefined ? undefined : lt(auditLog.at, sql`${startOfDay(to)} + interval '24 hours'`),
    before === undefined ? undefined : lt(auditLog.id, before),
  )
}

const isAction = (action: string): SQL =>
  action.includes('.') ? eq(auditLog.action, action) : like(auditLog.action, `${likeLiteral(action)}.%`)
