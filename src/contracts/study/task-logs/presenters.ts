import type { Language } from '../../../core/messages.ts'
import type { TaskLogLine as CoreLine } from '../../../core/tasks/log-lines.ts'
import { logText } from '../../../core/tasks/tasks.ts'
import type { TaskLogLine } from './models.ts'

export const presentLine = (line: CoreLine, language: Language): TaskLogLine => ({
  id: line.id,
  level: line.level,
  message: logText(line, language),
  created_at: line.createdAt.toISOString(),
  attempt: line.attempt,
})
