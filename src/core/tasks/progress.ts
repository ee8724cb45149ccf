import { sql } from 'drizzle-orm'
import type { Core } from '../context.ts'
import type { Task } from './tasks.ts'

/** The present progress of a running task, on the bus under `task:<uuid>`. */
export interface TaskState {
  attempt: number
  /** Percent. */
  progress: number
  current_item: string
}

export const taskTopic = (uuid: string): string => `task:${uuid}`

/** The task with the progress of this moment, which is stored only about once a second. */
export function withPresentProgress<T extends Task>(ctx: Pick<Core, 'bus'>, task: T): T {
  const state = ctx.bus.getState(taskTopic(task.uuid)) as TaskState | undefined
  if (task.status !== 'running' || state?.attempt !== task.attempt) return task
  return { ...task, progress: state.progress, currentItem: state.current_item }
}

export interface ProgressReport extends TaskState {
  taskId: number
}

/** Stores many tasks' progress in one statement; reports of attempts that are not current change nothing. */
export async function saveProgress(ctx: Core, reports: ProgressReport[]): Promise<void> {
  if (reports.length === 0) return
  await ctx.db.execute(sql`
    update tasks t set progress = r.progress, current_item = r.current_item, updated_at = now()
    from json_to_recordset(${JSON.stringify(reports)}::text::json)
      as r("taskId" int, attempt int, progress float8, current_item text)
    where t.id = r."taskId" and t.attempt = r.attempt and t.status = 'running'`)
}
