import { inArray, sql } from 'drizzle-orm'
import { isOneOfUuids } from '../../db/arrays.ts'
import { tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { Task } from './rows.ts'
import { percentAt, positionAt, type StudyRun, type StudyRunRow, storedRun } from './study-runs.ts'

/** The current state of a running task, on the bus under `task:<uuid>`. */
export interface TaskState {
  attempt: number
  /** Percent. Of a study task: when `run` was made. */
  progress: number
  currentItem: string
  /** Of a study task. */
  run?: StudyRun | undefined
}

export const taskTopic = (uuid: string): string => `task:${uuid}`

/** Percent with one decimal, so that all clients see the same figure. */
export const shownProgress = (percent: number): number => Math.round(percent * 10) / 10

/** Longer than it takes until progress is stored. */
const OVERTAKEN_MS = 5000

type Row = Pick<Task, 'uuid' | 'status' | 'attempt' | 'progress' | 'currentItem' | 'updatedAt'>

/** The state of a task: of the bus, or of its row when the row is newer. Progress of GPU tasks is stored about once a second. */
function currentState(ctx: Sources, task: Row, run: StudyRunRow | null): TaskState {
  const { attempt, currentItem } = task
  const state = ctx.bus.getState(taskTopic(task.uuid)) as TaskState | undefined
  const stored: TaskState = { attempt, progress: shownProgress(task.progress), currentItem }
  if (run) {
    const { runnerId, beatMs, beatAgeMs } = run
    if (runnerId !== null && beatMs !== null)
      ctx.services.runnerClocks.learn(runnerId, beatMs, beatAgeMs ?? 0)
    const isNewer =
      task.status === 'running' &&
      state?.run &&
      state.attempt >= attempt &&
      state.run.revision >= run.revision
    return isNewer ? state : { ...stored, run }
  }
  if (task.status !== 'running' || state?.attempt !== attempt) return stored
  // The node has moved to another server, and the hint was lost.
  const heardAgo = ctx.bus.stateAge(taskTopic(task.uuid))!
  if (heardAgo - ctx.clock.ageOf(task.updatedAt) > OVERTAKEN_MS) return stored
  return { attempt, progress: shownProgress(state.progress), currentItem: state.currentItem }
}

type Sources = Pick<Context, 'bus' | 'clock' | 'services'>

/** How a task stands now. A GPU task has no items with a duration: zeros. Percent and whole seconds. */
export interface TaskFigures {
  progress: number
  currentItem: string
  itemProgress: number
  itemCurrentTime: number
  itemTotalTime: number
}

/** @param runnerMs the clock of the task's runner; undefined when it is not known, so that the task stands where it was */
export function figuresAt({ progress, currentItem, run }: TaskState, runnerMs?: number): TaskFigures {
  if (!run) return { progress, currentItem, itemProgress: 0, itemCurrentTime: 0, itemTotalTime: 0 }
  const position = positionAt(run, runnerMs)
  const { itemDuration } = run
  const total = Math.round(itemDuration)
  return {
    progress: shownProgress(run.phase === 'still' ? progress : percentAt(run, position)),
    currentItem,
    itemProgress: itemDuration > 0 ? shownProgress((100 * position) / itemDuration) : 0,
    itemCurrentTime: position >= itemDuration ? total : Math.min(Math.floor(position), total),
    itemTotalTime: total,
  }
}

/** The figures of a state now. While a study task plays, they move with the clock of its runner. */
export function figuresOf({ services }: Pick<Context, 'services'>, state: TaskState): TaskFigures {
  const runnerId = isMoving(state) ? state.run!.runnerId : null
  return figuresAt(state, runnerId === null ? undefined : services.runnerClocks.now(runnerId))
}

/** Whether the figures of a state change with the time alone. */
export const isMoving = ({ run }: TaskState): boolean => run?.phase === 'playing'

/** The task with its current progress. Progress is stored only now and then. */
export function withCurrentProgress<T extends Row>(ctx: Sources, task: T, run: StudyRunRow | null = null): T {
  const { progress, currentItem } = figuresOf(ctx, currentState(ctx, task, run))
  return { ...task, progress, currentItem }
}

/** The same with all figures. */
export const withFigures = <T extends Row>(
  ctx: Sources,
  task: T,
  run: StudyRunRow | null,
): T & { figures: TaskFigures } => {
  const figures = figuresOf(ctx, currentState(ctx, task, run))
  return { ...task, progress: figures.progress, currentItem: figures.currentItem, figures }
}

/** The current states of tasks, by UUID. A deleted task is absent. One query. */
export async function currentStates(ctx: Context, uuids: string[]): Promise<Map<string, TaskState>> {
  const rows = await ctx.db
    .select({
      uuid: tasks.uuid,
      status: tasks.status,
      attempt: tasks.attempt,
      progress: tasks.progress,
      currentItem: tasks.currentItem,
      updatedAt: tasks.updatedAt,
      run: storedRun,
    })
    .from(tasks)
    .where(isOneOfUuids(tasks.uuid, uuids))
  return new Map(rows.map(({ run, ...row }) => [row.uuid, currentState(ctx, row, run)]))
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
