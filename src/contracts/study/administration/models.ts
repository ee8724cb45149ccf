import { type Static, t } from 'elysia'
import { TASK_KINDS, TASK_STATUSES } from '../../../core/tasks/states.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, pageQuery } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { Task } from '../tasks/models.ts'

export const TasksQuery = t.Object({
  ...pageQuery,
  status: t.Optional(choice(TASK_STATUSES)),
  kind: t.Optional(choice(TASK_KINDS)),
  task_type: t.Optional(t.String({ maxLength: 50 })),
  /** Integer or UUID. */
  user_id: t.Optional(t.String({ maxLength: 50 })),
  gpu_server_id: t.Optional(t.String({ maxLength: 50 })),
})

/** A task of any user, with what factory shows of GPU tasks. */
export const MonitoredTask = t.Composite([
  Task,
  t.Object({
    uuid: t.String(),
    kind: choice(TASK_KINDS),
    task_type: nullable(t.String()),
    priority: t.Integer(),
    gpu_server_id: nullable(t.String()),
    cost: t.Number(),
    user: t.Object({ id: t.Integer(), uuid: t.String(), username: t.String(), email: t.String() }),
  }),
])
export type MonitoredTask = Static<typeof MonitoredTask>

export const TaskId = t.Object({ id: t.String() })
export const ForceStop = t.Optional(t.Object({ reason: optional(t.String({ maxLength: 500 })) }))
export const FORCE_STOP = { reason: '占用资源过多' }

export const Statistics = t.Object({
  total_users: t.Integer(),
  active_users: t.Integer(),
  total_tasks: t.Integer(),
  pending_tasks: t.Integer(),
  running_tasks: t.Integer(),
  paused_tasks: t.Integer(),
  completed_tasks: t.Integer(),
  failed_tasks: t.Integer(),
  cancelled_tasks: t.Integer(),
  study_tasks: t.Integer(),
  gpu_tasks: t.Integer(),
  total_courses: t.Integer(),
  total_gpu_servers: t.Integer(),
  online_gpu_servers: t.Integer(),
  total_revenue: t.Number(),
})
export type Statistics = Static<typeof Statistics>

named({ StudyMonitoredTask: MonitoredTask, StudyStatistics: Statistics })
