import { Type } from '@sinclair/typebox'
import { type Static, t } from 'elysia'
import { nullable, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const SystemStats = t.Object({
  total_users: t.Integer(),
  active_users: t.Integer(),
  total_tasks: t.Integer(),
  running_tasks: t.Integer(),
  completed_tasks: t.Integer(),
  failed_tasks: t.Integer(),
  total_gpu_servers: t.Integer(),
  online_gpu_servers: t.Integer(),
  total_revenue: t.Number(),
})
export type SystemStats = Static<typeof SystemStats>

const tasksPerUser = { minimum: 1, maximum: 100_000 }
/** Seconds, up to 30 days. */
const timeout = { minimum: 1, maximum: 2_592_000 }
/** For each minute of running. */
const price = { minimum: 0, maximum: 1_000_000 }

export const SystemConfig = t.Object({
  max_concurrent_tasks_per_user: t.Integer(tasksPerUser),
  default_task_timeout: t.Integer(timeout),
  maintenance_mode: t.Boolean(),
  /** By task type. */
  task_prices: t.Record(t.String(), t.Number(price)),
})
export type SystemConfig = Static<typeof SystemConfig>

export const ConfigChange = Type.Object(
  {
    max_concurrent_tasks_per_user: Type.Optional(wholeNumber(tasksPerUser)),
    default_task_timeout: Type.Optional(wholeNumber(timeout)),
    maintenance_mode: Type.Optional(Type.Boolean()),
    /** Prices that are not named stay; null ends a price. */
    task_prices: Type.Optional(Type.Record(Type.String(), nullable(Type.Number(price)))),
  },
  // Unknown names reach the handler, which refuses them by name. Otherwise they would be left out in silence.
  { additionalProperties: Type.Unknown() },
)
export const CONFIG_CHANGE = {
  max_concurrent_tasks_per_user: 5,
  default_task_timeout: 3600,
  maintenance_mode: false,
  task_prices: { video_analysis: 0.5 },
}

named({ SystemStats, SystemConfig })
