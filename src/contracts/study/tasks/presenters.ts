import type { Language } from '../../../core/messages.ts'
import {
  type TaskDetail as CoreTaskDetail,
  errorText,
  logText,
  type TaskView,
} from '../../../core/tasks/tasks.ts'
import type { Task, TaskDetail } from './models.ts'

export const presentTask = (task: TaskView, language: Language): Task => ({
  id: task.id,
  name: task.title,
  status: task.status,
  progress: task.progress,
  current_item: task.currentItem,
  item_progress: task.figures.itemProgress,
  item_current_time: task.figures.itemCurrentTime,
  item_total_time: task.figures.itemTotalTime,
  course_ids: task.courseIds ?? [],
  error_message: errorText(task, language),
  started_at: task.startedAt?.toISOString() ?? null,
  completed_at: task.completedAt?.toISOString() ?? null,
  created_at: task.createdAt.toISOString(),
  updated_at: task.updatedAt.toISOString(),
})

export const presentTaskDetail = (task: CoreTaskDetail, language: Language): TaskDetail => ({
  ...presentTask(task, language),
  logs: task.logs.map((line) => ({
    id: line.id,
    level: line.level,
    message: logText(line, language),
    created_at: line.createdAt,
  })),
})
