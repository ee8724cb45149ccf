import type { StoredEntry } from '../../../core/audit/log.ts'
import type { AuditEntry } from './models.ts'

export const presentEntry = (entry: StoredEntry): AuditEntry => ({
  id: entry.id,
  created_at: entry.at.toISOString(),
  actor: entry.actorId === null ? null : { id: entry.actorId, username: entry.actorName ?? '' },
  action: entry.action,
  target: entry.targetType === null ? null : { type: entry.targetType, id: entry.targetId ?? '' },
  subject_id: entry.subjectId,
  details: entry.details as Record<string, unknown>,
  ip: entry.ip ?? '',
  user_agent: entry.userAgent ?? '',
  request_id: entry.requestId ?? '',
})
