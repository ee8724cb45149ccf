import type { Language } from '../../../core/messages.ts'
import { toMajor } from '../../../core/money/amounts.ts'
import { type SystemFigures, tasksOf } from '../../../core/statistics/system.ts'
import type { MonitoredTask as CoreMonitoredTask } from '../../../core/tasks/monitor.ts'
import { presentTask } from '../tasks/presenters.ts'
import type { MonitoredTask, Statistics } from './models.ts'

export const presentMonitoredTask = (task: CoreMonitoredTask, language: Language): MonitoredTask => ({
  ...presentTask(task, language),
  uuid: task.uuid,
  kind: task.kind,
  task_type: task.taskType,
  priority: task.priority,
  gpu_server_id: task.nodeUuid,
  cost: toMajor(task.costMinor),
  user: {
    id: task.owner.id,
    uuid: task.owner.uuid,
    username: task.owner.username,
    email: task.owner.email,
  },
})

export function presentStatistics(figures: SystemFigures): Statistics {
  const tasks = tasksOf(figures)
  return {
    total_users: figures.users.total,
    active_users: figures.users.active,
    total_tasks: tasks.total,
    pending_tasks: tasks.pending,
    running_tasks: tasks.running,
    paused_tasks: tasks.paused,
    completed_tasks: tasks.completed,
    failed_tasks: tasks.failed,
    cancelled_tasks: tasks.cancelled,
    study_tasks: tasksOf(figures, 'study').total,
    gpu_tasks: tasksOf(figures, 'gpu').total,
    total_courses: figures.courses,
    total_gpu_servers: figures.nodes.total,
    online_gpu_servers: figures.nodes.online,
    total_revenue: toMajor(figures.revenueMinor),
  }
}
