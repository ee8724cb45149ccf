import { type Static, t } from 'elysia'
import { TASK_STATUSES } from '../../../core/tasks/states.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const Task = t.Object({
  id: t.Integer(),
  name: t.String(),
  status: choice(TASK_STATUSES),
  progress: t.Number(),
  /** The figures of `task_update`, at the moment of the answer. */
  current_item: t.String(),
  item_progress: t.Number(),
  item_current_time: t.Integer(),
  item_total_time: t.Integer(),
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

named({ StudyTask: Task, StudyTaskLog: TaskLog, StudyTaskDetail: TaskDetail })
