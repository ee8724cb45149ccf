/** A task as the pages see it. */
import type { LiveEvent, Rest } from '../../../../client/index.ts'
import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'
import type { RELOAD } from '../../lib/view.ts'
import type { TaskEvent, TaskEventType } from './task-events.ts'

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
  page: number
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
  const { items, data } = await dataOf(
    api().factory.tasks.get({ query: given as never, ...(signal && { signal }) }),
  )
  return { ...data, items: data.items.map((task, index) => ({ ...items[index]!, ...task })) }
}

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
