import { t } from 'elysia'
import { listAudit } from '../../../core/audit/list.ts'
import type { Context } from '../../../core/context.ts'
import { chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { PageEnvelope, pageEnvelope, portfolio } from '../contract.ts'
import { readDays } from '../days.ts'
import { AuditEntry, AuditQuery } from './models.ts'
import { presentEntry } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'audit', { limit: 'admin' })

export const auditRoutes = (ctx: Context) =>
  routes(ctx, '/audit').get(
    '',
    listAll,
    route({
      auth: 'audit.read',
      summary: 'Read the audit log, the newest entries first (administrators)',
      query: AuditQuery,
      response: PageEnvelope(t.Array(AuditEntry)),
    }),
  )

async function listAll({ ctx, query, request }: SignedCall & Query<typeof AuditQuery>) {
  const [from, to] = readDays(query)
  const filter = {
    userId: query.user_id,
    action: query.action,
    targetType: query.target_type,
    targetId: query.target_id,
    requestId: query.request_id,
    from,
    to,
    search: query.search?.trim(),
    before: query.before_id,
  }
  const { entries, total } = await listAudit(ctx, filter, { page: query.page, pageSize: query.limit })
  return pageEnvelope(request, entries.map(presentEntry), total, query)
}
