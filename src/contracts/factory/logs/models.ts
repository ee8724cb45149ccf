import { type Static, t } from 'elysia'
import { LEVEL_NAMES } from '../../../core/logs/levels.ts'
import { choice } from '../../../http/choice.ts'
import { Day } from '../../../http/days.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, Page, pageQuery, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const Level = choice(LEVEL_NAMES)

const page = {
  page: pageQuery.page,
  page_size: integerText({ minimum: 1, maximum: 500, default: 50 }),
}
/** In UTC, both inclusive. */
const days = { start_date: t.Optional(Day), end_date: t.Optional(Day) }
const search = t.Optional(t.String({ maxLength: 100 }))

export const SystemLogQuery = t.Object({ ...page, ...days, level: t.Optional(Level), search })

export const UserActionsQuery = t.Object({
  ...page,
  ...days,
  /** A user's number or UUID: what they did, and what was done to them or their data. */
  user_id: t.Optional(t.String({ minLength: 1, maxLength: 64 })),
  /** Such as `task.cancelled`; without a verb all actions of a noun, such as `task`. */
  action: t.Optional(t.String({ pattern: '^[a-z_]+(\\.[a-z_]+)?$', maxLength: 100 })),
  search,
})

/** A position of a line in a task's log. */
export const Position = integerText({ minimum: 0, maximum: 2_147_483_647 })

export const TaskLogQuery = t.Object({
  ...page,
  level: t.Optional(Level),
  /** Only lines behind this position. */
  after: t.Optional(Position),
})

export const TaskId = t.Object({ task_id: t.String() })

export const LOG_TYPES = ['system', 'user_actions', 'tasks'] as const

export const DownloadQuery = t.Object({ log_type: choice(LOG_TYPES), date: Day })

export const SystemLogLine = t.Object({
  id: t.String(),
  created_at: Timestamp,
  level: Level,
  message: t.String(),
  /** Host name and process id. */
  server: t.String(),
  fields: t.Record(t.String(), t.Any()),
})
export type SystemLogLine = Static<typeof SystemLogLine>

/**
 * `total` is 10,000 when there are more. `searched_from`: a search has looked only at the lines since then; null: at all that
 * fit the other filters.
 */
export const SystemLogPage = t.Composite([
  Page(SystemLogLine),
  t.Object({ searched_from: nullable(Timestamp) }),
])

export const UserAction = t.Object({
  id: t.Integer(),
  created_at: Timestamp,
  /** Null when nobody was signed in, the server itself acted, or the user no longer exists. */
  user_id: nullable(t.String()),
  /** That of then; empty when nobody was signed in. */
  username: t.String(),
  action: t.String(),
  target_type: nullable(t.String()),
  target_id: nullable(t.String()),
  details: t.Record(t.String(), t.Any()),
  ip_address: t.String(),
  user_agent: t.String(),
  request_id: t.String(),
})
export type UserAction = Static<typeof UserAction>

export const TaskLogLine = t.Object({
  position: t.Integer(),
  task_id: t.String(),
  attempt: t.Integer(),
  level: t.String(),
  message: t.String(),
  created_at: Timestamp,
})
export type TaskLogLine = Static<typeof TaskLogLine>

named({ LogLevel: Level, SystemLogLine, SystemLogPage, UserAction, TaskLogLine })
