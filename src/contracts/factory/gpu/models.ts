import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { ClusterUpdateData, GpuUsage } from '../../../protocol/live/topics.ts'
import { GpuFigures, heartbeatFields } from '../../../protocol/node/node-frames.ts'

const ServerState = choice(['online', 'offline', 'draining'])

/** Memory in GB, usage in percent. */
export const GpuServer = t.Object({
  id: t.String(),
  name: t.String(),
  host: t.String(),
  status: ServerState,
  current_tasks: t.Integer(),
  max_concurrent_tasks: t.Integer(),
  total_memory: t.Number(),
  used_memory: t.Number(),
  gpu_count: t.Integer(),
  cpu_usage: t.Number(),
  memory_usage: t.Number(),
  last_heartbeat: nullable(Timestamp),
  task_types: t.Array(t.String()),
  /** Task types whose program the server could not start. Only administrators see them. */
  cannot_start: t.Array(t.Object({ task_type: t.String(), message: t.String(), at: Timestamp })),
  created_at: Timestamp,
})
export type GpuServer = Static<typeof GpuServer>

/** The answer that shows the node's token, which the server stores only as a hash. */
export const NewGpuServer = t.Composite([GpuServer, t.Object({ node_token: t.String() })])

/** Temperature in °C, power in W; both are left out while the node does not measure them. */
export const GpuServerStatus = t.Object({
  server_id: t.String(),
  status: ServerState,
  cpu_usage: t.Number(),
  memory_usage: t.Number(),
  gpu_usage: t.Array(GpuUsage),
  running_tasks: t.Array(t.Object({ task_id: t.String(), progress: t.Number() })),
  timestamp: Timestamp,
})
export type GpuServerStatus = Static<typeof GpuServerStatus>

/** The oldest sample first. They begin with the start of the server that answers, and none is there while the node is away. */
export const GpuServerHistory = t.Object({
  server_id: t.String(),
  samples: t.Array(t.Object({ at: Timestamp, gpu_usage: t.Array(GpuUsage) })),
})

/** What a task type costs, and how many GPU servers that take tasks offer it. */
export const GpuTaskType = t.Object({
  task_type: t.String(),
  /** For each minute of running; 0: free. */
  price: t.Number(),
  servers: t.Integer(),
})

/** The same fields as in the frame `gpu_cluster`. */
export const ClusterOverview = t.Object(ClusterUpdateData.properties)

export const ServerId = t.Object({ server_id: t.String() })

const name = t.String({ minLength: 1, maxLength: 100, ...typed('name') })
const host = t.String({ minLength: 1, maxLength: 255 })
const taskLimit = { minimum: 1, maximum: 1000 }

export const ServerCreation = t.Object({
  name,
  host,
  max_concurrent_tasks: t.Integer({ ...taskLimit, default: 1 }),
})
export const SERVER_CREATION = { name: 'GPU-Server-01', host: '192.168.1.100', max_concurrent_tasks: 4 }

export const ServerChange = t.Object({
  name: t.Optional(name),
  host: t.Optional(host),
  max_concurrent_tasks: t.Optional(t.Integer(taskLimit)),
  draining: t.Optional(t.Boolean()),
})
export const SERVER_CHANGE = { name: 'GPU-Server-01', max_concurrent_tasks: 8, draining: false }

/**
 * A broken sensor must not refuse the whole heartbeat, so this model takes any temperature and power, and
 * `readHeartbeat` leaves out a value that cannot be.
 */
export const Heartbeat = t.Object({
  ...heartbeatFields,
  gpus: t.Array(
    t.Object({
      ...GpuFigures.properties,
      temperature: t.Optional(t.Unknown()),
      power: t.Optional(t.Unknown()),
    }),
    { maxItems: heartbeatFields.gpus.maxItems! },
  ),
})
export const HEARTBEAT = {
  cpu_usage: 45.2,
  memory_usage: 68.3,
  gpus: [{ gpu_id: 0, usage: 85.5, memory_used: 10.2, memory_total: 12 }],
}

named({
  GpuServerState: ServerState,
  GpuServer,
  NewGpuServer,
  GpuServerHistory,
  GpuServerStatus,
  GpuTaskType,
  ClusterOverview,
})
