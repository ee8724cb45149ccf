import { type Static, t } from 'elysia'
import { LEVEL_NAMES } from '../../../core/logs/levels.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { TaskLog } from '../tasks/models.ts'

export const TaskId = t.Object({ id: t.String() })

export const TaskLogsQuery = t.Object({
  limit: integerText({ minimum: 1, maximum: 1000, default: 100 }),
  level: t.Optional(choice(LEVEL_NAMES)),
  /** The oldest lines behind this `id`; without it the newest lines. */
  after: t.Optional(integerText({ minimum: 0, maximum: 2_147_483_647 })),
})

/** `id` is the position of the line. */
export const TaskLogLine = t.Composite([TaskLog, t.Object({ attempt: t.Integer() })])
export type TaskLogLine = Static<typeof TaskLogLine>

named({ StudyTaskLogLine: TaskLogLine })
