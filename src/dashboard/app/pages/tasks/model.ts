/** A task as the pages see it. */
import type { Rest } from '../../../../client/index.ts'
import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'

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
