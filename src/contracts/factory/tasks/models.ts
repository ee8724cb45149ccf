import { type Static, t } from 'elysia'
import { TASK_STATUSES } from '../../../core/tasks/states.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const TaskStatus = choice(TASK_STATUSES)

export const Task = t.Object({
  id: t.String(),
  title: t.String(),
  description: t.String(),
  task_type: nullable(t.String()),
  status: TaskStatus,
  progress: t.Number(),
  priority: t.Integer(),
  gpu_server_id: nullable(t.String()),
  config: t.Record(t.String(), t.Any()),
  result: t.Record(t.String(), t.Any()),
  error_message: nullable(t.String()),
  /** Why the task failed; null when it did not. `reported`: the node sent a text of its own instead of a known code. */
  failure_code: nullable(t.String()),
  /** The exit code of the task's program; null unless the program ended by itself. */
  exit_code: nullable(t.Integer()),
  cost: t.Number(),
  /** What is held while the task has not ended; `cost` is never more. */
  estimated_cost: t.Number(),
  /** Minutes. */
  estimated_duration: nullable(t.Integer()),
  started_at: nullable(Timestamp),
  completed_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Task = Static<typeof Task>

/** No GPU server that takes tasks offers the type. */
const WaitingFor = t.Object({
  reason: t.Literal('no_node_offers_type'),
  task_type: t.String(),
  available_types: t.Array(t.String()),
})

export const TaskDetail = t.Composite([Task, t.Object({ waiting_for: nullable(WaitingFor) })])
export type TaskDetail = Static<typeof TaskDetail>

named({ TaskStatus, FactoryTask: Task, FactoryTaskDetail: TaskDetail, WaitingFor })
