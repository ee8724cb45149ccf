import type { Language } from '../../../core/messages.ts'
import { toMajor } from '../../../core/money/amounts.ts'
import { estimatedCost } from '../../../core/money/ledger.ts'
import { exitCode } from '../../../core/tasks/failures.ts'
import type { Task as CoreTask } from '../../../core/tasks/rows.ts'
import { type TaskDetail as CoreTaskDetail, errorText } from '../../../core/tasks/tasks.ts'
import type { Task, TaskDetail } from './models.ts'

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
  error_message: errorText(task, language),
  failure_code: task.failureCode,
  exit_code: exitCode(task.failureParams),
  cost: toMajor(task.costMinor),
  estimated_cost: toMajor(estimatedCost(task.priceMinorPerMinute, task.estimatedMinutes)),
  estimated_duration: task.estimatedMinutes,
  started_at: task.startedAt?.toISOString() ?? null,
  completed_at: task.completedAt?.toISOString() ?? null,
  created_at: task.createdAt.toISOString(),
  updated_at: task.updatedAt.toISOString(),
})

export const presentTaskDetail = (task: CoreTaskDetail, language: Language): TaskDetail => ({
  ...presentTask(task, language),
  waiting_for: task.waitingFor && {
    reason: 'no_node_offers_type',
    task_type: task.waitingFor.taskType,
    available_types: task.waitingFor.availableTypes,
  },
})
