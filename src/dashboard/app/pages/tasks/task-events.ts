/** How events change a task that a page shows. */
import type { EventType, LiveEvent } from '../../../../client/index.ts'

export type TaskEventType = Extract<EventType, `task.${string}`>
export type TaskEvent = { [T in TaskEventType]: LiveEvent<T> }[TaskEventType]

/** What events change. */
export interface TaskState {
  status: TaskEvent['data']['status']
  progress: number
  gpu_server_id: string | null
  started_at: string | null
  completed_at: string | null
  updated_at: string
  cost: number
  error_message: string | null
  failure_code: string | null
  exit_code: number | null
}

/** The task after the event. One that the task shows already changes nothing. */
export function withEvent<T extends TaskState>(task: T, event: TaskEvent): T {
  if (Date.parse(event.at) < Date.parse(task.updated_at)) return task
  const { status, progress } = event.data
  const next = { ...task, status, progress, updated_at: event.at }
  switch (event.type) {
    case 'task.started':
      return { ...next, started_at: event.at, gpu_server_id: event.data.gpu_server_id ?? null }
    case 'task.completed':
      return { ...next, completed_at: event.at, cost: event.data.cost }
    case 'task.failed': {
      const { cost, error_message, failure_code, exit_code } = event.data
      return { ...next, completed_at: event.at, cost, error_message, failure_code, exit_code }
    }
    case 'task.cancelled':
      return { ...next, completed_at: event.at, cost: event.data.cost }
    case 'task.requeued':
      return { ...next, started_at: null, completed_at: null, error_message: null, gpu_server_id: null }
    default:
      return next
  }
}
