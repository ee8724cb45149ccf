import type { User } from '../../core/accounts/accounts.ts'
import type { AccountSummary } from '../../core/accounts/administration.ts'
import { isAdmin, type Role } from '../../core/accounts/permissions.ts'
import type { SignedIn } from '../../core/accounts/sessions.ts'
import type { Language } from '../../core/messages.ts'
import { toMajor } from '../../core/money/ledger.ts'
import { type NodeView, round1, shownGpu } from '../../core/nodes/presence.ts'
import { type Task as CoreTask, shownFailure } from '../../core/tasks/tasks.ts'
import type { AdminUser, GpuServer, GpuServerStatus, Session, SessionUser, Task } from './models.ts'
import { presentMe } from './users/presenters.ts'

const instant = (date: Date | null): string | null => date?.toISOString() ?? null

export const presentSessionUser = (user: User): SessionUser => ({
  id: user.uuid,
  email: user.email,
  username: user.username,
  role: user.role,
})

export const presentSession = ({ user, accessToken, refreshToken, expiresIn }: SignedIn): Session => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer',
  expires_in: expiresIn,
  user: presentSessionUser(user),
})

export const presentAdminUser = (summary: AccountSummary): AdminUser => ({
  ...presentMe(summary),
  is_active: summary.user.isActive,
})

export const presentTask = (task: CoreTask & { nodeUuid: string | null }, language: Language): Task => ({
  id: task.uuid,
  title: task.title,
  description: task.description,
  task_type: task.taskType,
  status: task.status,
  progress: task.progress,
  priority: task.priority,
  gpu_server_id: task.nodeUuid,
  config: task.config,
  result: task.result,
  ...shownFailure(task, language),
  cost: toMajor(task.costMinor),
  estimated_duration: task.estimatedMinutes,
  started_at: instant(task.startedAt),
  completed_at: instant(task.completedAt),
  created_at: task.createdAt.toISOString(),
  updated_at: task.updatedAt.toISOString(),
})

/** `host` and `cannot_start` are for administrators; others get an empty string and an empty list. */
export const presentServer = (view: NodeView, viewer: Role): GpuServer => ({
  id: view.node.uuid,
  name: view.node.name,
  host: isAdmin(viewer) ? view.node.host : '',
  status: view.status,
  current_tasks: view.runningTasks.length,
  max_concurrent_tasks: view.node.maxConcurrentTasks,
  total_memory: round1(view.gpus.reduce((sum, gpu) => sum + gpu.memory_total, 0)),
  used_memory: round1(view.gpus.reduce((sum, gpu) => sum + gpu.memory_used, 0)),
  gpu_count: view.gpus.length,
  cpu_usage: view.cpu_usage,
  memory_usage: view.memory_usage,
  last_heartbeat: view.lastHeartbeat,
  task_types: view.node.taskTypes,
  cannot_start: isAdmin(viewer) ? view.node.cannotStart.map(presentCannotStart) : [],
  created_at: view.node.createdAt.toISOString(),
})

const presentCannotStart = ({ task_type, message, at }: NodeView['node']['cannotStart'][number]) => ({
  task_type,
  message,
  at,
})

export const presentServerStatus = (view: NodeView): GpuServerStatus => ({
  server_id: view.node.uuid,
  status: view.status,
  cpu_usage: view.cpu_usage,
  memory_usage: view.memory_usage,
  gpu_usage: view.gpus.map(shownGpu),
  running_tasks: view.runningTasks,
  timestamp: view.lastHeartbeat ?? new Date().toISOString(),
})
