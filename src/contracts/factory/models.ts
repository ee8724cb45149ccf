/** Wire models of the factory contract: docs/contracts/factory.md. Ids are UUIDs. */
import { type Static, t } from 'elysia'
import { TASK_STATUSES } from '../../core/tasks/states.ts'
import { choice } from '../../http/choice.ts'
import { Nothing, nullable, Timestamp } from '../../http/models.ts'
import { named } from '../../http/openapi/schemas.ts'
import { Me, Role } from './users/models.ts'

export const TaskStatus = choice(TASK_STATUSES)

export const SessionUser = t.Object({ id: t.String(), email: t.String(), username: t.String(), role: Role })
export type SessionUser = Static<typeof SessionUser>

export const Session = t.Object({
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('bearer'),
  expires_in: t.Integer(),
  user: SessionUser,
})
export type Session = Static<typeof Session>

export const AdminUser = t.Composite([Me, t.Object({ is_active: t.Boolean() })])
export type AdminUser = Static<typeof AdminUser>

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
  /** Why it failed; null when it did not. `reported`: only its node has words for it. */
  failure_code: nullable(t.String()),
  /** Of the task's program, when it ended by itself. */
  exit_code: nullable(t.Integer()),
  cost: t.Number(),
  estimated_duration: nullable(t.Integer()),
  started_at: nullable(Timestamp),
  completed_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Task = Static<typeof Task>

const nodeStatus = choice(['online', 'offline', 'draining'])

export const GpuServer = t.Object({
  id: t.String(),
  name: t.String(),
  host: t.String(),
  status: nodeStatus,
  current_tasks: t.Integer(),
  max_concurrent_tasks: t.Integer(),
  total_memory: t.Number(),
  used_memory: t.Number(),
  gpu_count: t.Integer(),
  cpu_usage: t.Number(),
  memory_usage: t.Number(),
  last_heartbeat: nullable(Timestamp),
  task_types: t.Array(t.String()),
  /** Task types whose program the server could not start; for administrators. */
  cannot_start: t.Array(t.Object({ task_type: t.String(), message: t.String(), at: Timestamp })),
  created_at: Timestamp,
})
export type GpuServer = Static<typeof GpuServer>

export const NewGpuServer = t.Composite([GpuServer, t.Object({ node_token: t.String() })])

export const GpuServerStatus = t.Object({
  server_id: t.String(),
  status: nodeStatus,
  cpu_usage: t.Number(),
  memory_usage: t.Number(),
  gpu_usage: t.Array(
    t.Object({
      gpu_id: t.Integer(),
      name: t.Optional(t.String()),
      usage: t.Number(),
      memory_used: t.Number(),
      memory_total: t.Number(),
      temperature: t.Optional(t.Number()),
      power: t.Optional(t.Number()),
    }),
  ),
  running_tasks: t.Array(t.Object({ task_id: t.String(), progress: t.Number() })),
  timestamp: Timestamp,
})
export type GpuServerStatus = Static<typeof GpuServerStatus>

export const ClusterOverview = t.Object({
  total_servers: t.Integer(),
  online_servers: t.Integer(),
  offline_servers: t.Integer(),
  total_gpus: t.Integer(),
  busy_gpus: t.Integer(),
  idle_gpus: t.Integer(),
  total_running_tasks: t.Integer(),
  queue_length: t.Integer(),
  average_gpu_usage: t.Number(),
  total_memory: t.Number(),
  used_memory: t.Number(),
})

export const ServerId = t.Object({ server_id: t.String() })

named({
  TaskStatus,
  FactorySessionUser: SessionUser,
  FactorySession: Session,
  FactoryAdminUser: AdminUser,
  FactoryTask: Task,
  GpuServerState: nodeStatus,
  GpuServer,
  NewGpuServer,
  GpuServerStatus,
  ClusterOverview,
  Empty: Nothing,
})
