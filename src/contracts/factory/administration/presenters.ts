import { toMajor } from '../../../core/money/amounts.ts'
import { type SystemFigures, tasksOf } from '../../../core/statistics/system.ts'
import type { SystemConfig as CoreSystemConfig } from '../../../core/system/settings.ts'
import type { SystemConfig, SystemStats } from './models.ts'

export function presentStats(figures: SystemFigures): SystemStats {
  const tasks = tasksOf(figures)
  return {
    total_users: figures.users.total,
    active_users: figures.users.active,
    total_tasks: tasks.total,
    running_tasks: tasks.running,
    completed_tasks: tasks.completed,
    failed_tasks: tasks.failed,
    total_gpu_servers: figures.nodes.total,
    online_gpu_servers: figures.nodes.online,
    total_revenue: toMajor(figures.revenueMinor),
  }
}

export const presentConfig = (config: CoreSystemConfig): SystemConfig => ({
  max_concurrent_tasks_per_user: config.maxConcurrentTasksPerUser,
  default_task_timeout: config.defaultTaskTimeout,
  maintenance_mode: config.maintenanceMode,
  task_prices: Object.fromEntries(
    Object.entries(config.taskPrices).map(([type, minor]) => [type, toMajor(minor)]),
  ),
})
