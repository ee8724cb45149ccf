import { and, desc, eq, gte, ilike, like, lt, or, type SQL, sql } from 'drizzle-orm'
import { likeLiteral } from '../../db/like.ts'
import { auditLog } from '../../db/schema/index.ts'
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

/** `total` counts no further, because an exact count of a long log would take longer than the page. `before` leads further. */
const MAX_COUNTED = 10_000

/** The entries of a page, the newest first. */
export async function listAudit(
  ctx: Context,
  filter: AuditFilter,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<{ entries: StoredEntry[]; total: number }> {
  const where = conditionOf(filter)
  const some = ctx.db.select({ one: sql`1` }).from(auditLog).where(where).limit(MAX_COUNTED)
  const [[counted], entries] = await Promise.all([
    ctx.db.execute<{ total: number }>(sql`select count(*)::int as total from (${some}) counted`),
    ctx.db
      .select()
      .from(auditLog)
      .where(where)
      .orderBy(desc(auditLog.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return { entries, total: counted!.total }
}

const searched = sql`concat_ws(' ', ${auditLog.actorName}, ${auditLog.action}, ${auditLog.targetId}, ${auditLog.ip},
  ${auditLog.requestId}, ${auditLog.details}::text)`

function conditionOf(filter: AuditFilter): SQL | undefined {
  const { userId, action, targetType, targetId, requestId, from, to, search, before } = filter
  return and(
    userId === undefined ? undefined : or(eq(auditLog.actorId, userId), eq(auditLog.subjectId, userId)),
    action === undefined ? undefined : isAction(action),
    targetType === undefined ? undefined : eq(auditLog.targetType, targetType),
    targetId === undefined ? undefined : eq(auditLog.targetId, targetId),
    requestId === undefined ? undefined : eq(auditLog.requestId, requestId),
    from === undefined ? undefined : gte(auditLog.at, startOf(from)),
    to === undefined ? undefined : lt(auditLog.at, sql`${startOf(to)} + interval '1 day'`),
    search ? ilike(searched, `%${likeLiteral(search)}%`) : undefined,
    before === undefined ? undefined : lt(auditLog.id, before),
  )
}

const isAction = (action: string): SQL =>
  action.includes('.') ? eq(auditLog.action, action) : like(auditLog.action, `${likeLiteral(action)}.%`)

const startOf = (day: string): SQL => sql`(${day}::date::timestamp at time zone 'UTC')`
