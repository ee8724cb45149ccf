import { inArray, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { Task } from './rows.ts'

/** The current progress of a running task, on the bus under `task:<uuid>`. */
export interface TaskState {
  attempt: number
  /** Percent. */
  progress: number
  currentItem: string
}

export const taskTopic = (uuid: string): string => `task:${uuid}`

/** Percent with one decimal, so that all clients see the same figure. */
export const shownProgress = (percent: number): number => Math.round(percent * 10) / 10

/** Longer than it takes until progress is stored. */
const OVERTAKEN_MS = 5000

/** The task with its current progress. Progress is stored only about once a second. */
export function withCurrentProgress<
  T extends Pick<Task, 'uuid' | 'status' | 'attempt' | 'progress' | 'currentItem' | 'updatedAt'>,
>(ctx: Pick<Context, 'bus' | 'clock'>, task: T): T {
  const state = ctx.bus.getState(taskTopic(task.uuid)) as TaskState | undefined
  const stored = { ...task, progress: shownProgress(task.progress) }
  if (task.status !== 'running' || state?.attempt !== task.attempt) return stored
  // The node has moved to another server, and the hint was lost.
  const heardAgo = ctx.bus.stateAge(taskTopic(task.uuid))!
  if (heardAgo - ctx.clock.ageOf(task.updatedAt) > OVERTAKEN_MS) return stored
  return { ...task, progress: shownProgress(state.progress), currentItem: state.currentItem }
}

/** The current progress of tasks, by UUID. A deleted task is absent. One query. */
export async function currentProgress(
  ctx: Context,
  uuids: string[],
): Promise<Map<string, Pick<TaskState, 'progress' | 'currentItem'>>> {
  const rows = await ctx.db
    .select({
      uuid: tasks.uuid,
      status: tasks.status,
      attempt: tasks.attempt,
      progress: tasks.progress,
      currentItem: tasks.currentItem,
      updatedAt: tasks.updatedAt,
    })
    .from(tasks)
    .where(
      sql`${tasks.uuid} in (select value::uuid from json_array_elements_text(${JSON.stringify(uuids)}::text::json))`,
    )
  return new Map(
    rows.map((row) => {
      const { progress, currentItem } = withCurrentProgress(ctx, row)
      return [row.uuid, { progress, currentItem }]
    }),
  )
}

export interface ProgressReport extends TaskState {
  taskId: number
}

/**
 * Stores the progress of many tasks in one statement. A report of an attempt that is not the current one changes nothing.
 * @returns the ids of tasks whose progress is not stored, because another transaction holds their rows
 */
export async function saveProgress(ctx: Context, reports: ProgressReport[]): Promise<number[]> {
  if (reports.length === 0) return []
  const ids = inArray(
    tasks.id,
    reports.map(({ taskId }) => taskId),
  )
  const held = await ctx.db.execute<{ id: number }>(sql`
    with free as materialized (
      select id from tasks where ${ids} order by id for no key update skip locked
    ), saved as (
      update tasks t set progress = r.progress, current_item = r."currentItem", updated_at = now()
      from json_to_recordset(${JSON.stringify(reports)}::text::json)
        as r("taskId" int, attempt int, progress float8, "currentItem" text)
      join free on free.id = r."taskId"
      where t.id = r."taskId" and t.attempt = r.attempt and t.status = 'running'
    )
    select id from tasks where ${ids} and id not in (select id from free)`)
  return held.map(({ id }) => id)
}
