import type { StoredEntry } from '../../../core/audit/log.ts'
import type { SystemLogLine as CoreLine } from '../../../core/logs/chunks.ts'
import type { Language } from '../../../core/messages.ts'
import type { TaskLogLine as CoreTaskLine } from '../../../core/tasks/log-lines.ts'
import { logText } from '../../../core/tasks/tasks.ts'
import type { SystemLogLine, TaskLogLine, UserAction } from './models.ts'

export const presentLine = (line: CoreLine): SystemLogLine => ({
  id: line.id,
  created_at: line.at,
  level: line.level,
  message: line.message,
  server: line.server,
  fields: line.fields,
})

/** @param uuids of users, by number */
export const presentAction = (entry: StoredEntry, uuids: ReadonlyMap<number, string>): UserAction => ({
  id: entry.id,
  created_at: entry.at.toISOString(),
  user_id: uuids.get(entry.actorId ?? 0) ?? null,
  username: entry.actorName ?? '',
  action: entry.action,
  target_type: entry.targetType,
  target_id: entry.targetId,
  details: entry.details as Record<string, unknown>,
  ip_address: entry.ip ?? '',
  user_agent: entry.userAgent ?? '',
  request_id: entry.requestId ?? '',
})

export const presentTaskLine = (line: CoreTaskLine, taskId: string, language: Language): TaskLogLine => ({
  position: line.id,
  task_id: taskId,
  attempt: line.attempt,
  level: line.level,
  message: logText(line, language),
  created_at: line.createdAt.toISOString(),
})
