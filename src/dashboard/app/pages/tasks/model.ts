/** A task as the pages see it, and how events change it. */
import type { EventType, LiveEvent, Rest } from '../../../../client/index.ts'
import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'
import type { RELOAD } from '../../lib/view.ts'

type Listed = NonNullable<Awaited<ReturnType<Rest['factory']['tasks']['get']>>['data']>
type OfStudy = Listed['items'][number]
type OfFactory = Listed['data']['items'][number]

/** What both contracts show of a task. `id` is its UUID. */
export type Task = Omit<OfStudy, 'id'> & OfFactory
export type TaskStatus = Task['status']

export type TaskDetail = Task & {
  /** Not null while no server offers the type of a waiting task. */
  waiting_for: { task_type: string; available_types: string[] } | null
  /** It has been deleted while the page showed it. */
  deleted?: true
}

export const STATUSES = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const

export const isStudy = (task: Pick<Task, 'task_type'>): boolean => task.task_type === null
export const hasEnded = (status: TaskStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled'

export interface TaskPage {
  items: Task[]
  total: number
  total_pages: number
}

export interface TaskQuery {
  page?: number
  page_size?: number
  status?: TaskStatus | undefined
  kind?: 'gpu' | 'study' | undefined
  sort_by?: 'created_at' | 'updated_at' | 'priority' | undefined
}

/** The caller's own tasks. */
export async function listTasks(query: TaskQuery, signal?: AbortSignal): Promise<TaskPage> {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
  const { items, data } = await dataOf(api().factory.tasks.get({ query: given, ...(signal && { signal }) }))
  return { ...data, items: data.items.map((task, index) => ({ ...items[index]!, ...task })) }
}

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
