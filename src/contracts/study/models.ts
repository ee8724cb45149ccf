/** Wire models of the study contract: docs/contracts/study.md. Ids are integers. */
import { type Static, t } from 'elysia'
import { TASK_STATUSES } from '../../core/tasks/states.ts'
import { choice } from '../../http/choice.ts'
import { named } from '../../http/openapi/schemas.ts'

const Timestamp = t.String({ format: 'date-time' })
const nullable = <T extends Parameters<typeof t.Optional>[0]>(schema: T) => t.Union([schema, t.Null()])

export const Token = t.Object({ access_token: t.String(), token_type: t.Literal('bearer') })
export type Token = Static<typeof Token>

export const Task = t.Object({
  id: t.Integer(),
  name: t.String(),
  status: choice(TASK_STATUSES),
  progress: t.Number(),
  course_ids: t.Array(t.String()),
  error_message: nullable(t.String()),
  started_at: nullable(Timestamp),
  completed_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Task = Static<typeof Task>

export const TaskLog = t.Object({
  id: t.Integer(),
  level: t.String(),
  message: t.String(),
  created_at: Timestamp,
})
export const TaskDetail = t.Composite([Task, t.Object({ logs: t.Array(TaskLog) })])
export type TaskDetail = Static<typeof TaskDetail>

export const AdminUser = t.Object({
  id: t.Integer(),
  username: t.String(),
  email: t.String(),
  role: t.String(),
  is_active: t.Boolean(),
  created_at: Timestamp,
  last_login: nullable(Timestamp),
})
export type AdminUser = Static<typeof AdminUser>

named({
  StudyToken: Token,
  StudyTask: Task,
  StudyTaskLog: TaskLog,
  StudyTaskDetail: TaskDetail,
  StudyAdminUser: AdminUser,
})
