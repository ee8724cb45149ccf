import { isAdmin, type Role } from '../../../core/accounts/permissions.ts'
import { toMajor } from '../../../core/money/amounts.ts'
import type { NodeSample } from '../../../core/nodes/history.ts'
import { type NodeView, round1 } from '../../../core/nodes/presence.ts'
import type { TaskType } from '../../../core/nodes/task-types.ts'
import { presentGpu } from '../../../live/topics/node.ts'
import type { GpuServer, GpuServerStatus } from './models.ts'

/** Only administrators see `host` and `cannot_start`; other viewers get an empty string and an empty list. */
export const presentServer = (view: NodeView, viewer: Role): GpuServer => ({
  id: view.node.uuid,
  name: view.node.name,
  host: isAdmin(viewer) ? view.node.host : '',
  status: view.status,
  current_tasks: view.runningTasks.length,
  max_concurrent_tasks: view.node.maxConcurrentTasks,
  total_memory: round1(view.gpus.reduce((sum, gpu) => sum + gpu.memoryTotal, 0)),
  used_memory: round1(view.gpus.reduce((sum, gpu) => sum + gpu.memoryUsed, 0)),
  gpu_count: view.gpus.length,
  cpu_usage: view.cpuUsage,
  memory_usage: view.memoryUsage,
  last_heartbeat: view.lastHeartbeat,
  task_types: view.node.taskTypes,
  cannot_start: isAdmin(viewer) ? view.node.cannotStart.map(presentCannotStart) : [],
  created_at: view.node.createdAt.toISOString(),
})

const presentCannotStart = ({ taskType, message, at }: NodeView['node']['cannotStart'][number]) => ({
  task_type: taskType,
  message,
  at,
})

export const presentTaskType = ({ name, priceMinor, nodes }: TaskType) => ({
  task_type: name,
  price: toMajor(priceMinor),
  servers: nodes,
})

export const presentSample = ({ at, gpus }: NodeSample) => ({ at, gpu_usage: gpus.map(presentGpu) })

export const presentServerStatus = (view: NodeView): GpuServerStatus => ({
  server_id: view.node.uuid,
  status: view.status,
  cpu_usage: view.cpuUsage,
  memory_usage: view.memoryUsage,
  gpu_usage: view.gpus.map(presentGpu),
  running_tasks: view.runningTasks.map(({ taskUuid, progress }) => ({ task_id: taskUuid, progress })),
  timestamp: view.lastHeartbeat ?? new Date().toISOString(),
})
