/** How events change the tasks that a page shows. */
import type { EventType, LiveEvent } from '../../../../client/index.ts'
import type { RELOAD } from '../../lib/view.ts'
import type { Task } from './model.ts'

export type TaskEventType = Extract<EventType, `task.${string}`>
export type TaskEvent = { [T in TaskEventType]: LiveEvent<T> }[TaskEventType]

const TASK_EVENTS = [
  'task.created',
  'task.started',
  'task.paused',
  'task.resumed',
  'task.completed',
  'task.failed',
  'task.cancelled',
  'task.requeued',
  'task.unplaceable',
  'task.deleted',
] as const satisfies readonly TaskEventType[]

type Handlers<T> = {
  [E in TaskEventType]: (event: LiveEvent<E>, data: T) => T | typeof RELOAD
}

/** One handler for all events of tasks. */
export const onTasks = <T>(apply: (event: TaskEvent, data: T) => T | typeof RELOAD): Handlers<T> =>
  Object.fromEntries(TASK_EVENTS.map((type) => [type, apply])) as unknown as Handlers<T>

/** The task after the event. One that the task shows already changes nothing. */
export function withEvent<T extends Task>(task: T, event: TaskEvent): T {
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
