/** The stored lines of tasks' logs. The id of a line is its position: see `addLogs`. */
import { and, asc, count, desc, eq, getTableColumns, gt, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { rowsOfDay } from '../../db/rows-of-day.ts'
import { taskLogs, tasks, users } from '../../db/schema/index.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import type { Level } from '../logs/levels.ts'
import type { Task } from './rows.ts'
import { accessibleTask } from './tasks.ts'

export type TaskLogLine = typeof taskLogs.$inferSelect

export interface TaskLogFilter {
  level?: Level | undefined
  /** Only lines behind this position. */
  after?: number | undefined
}

/**
 * A page of a task's log, the oldest lines first.
 * @throws AppError NOT_FOUND, also for another user's task
 */
export async function listTaskLog(
  ctx: Context,
  who: Principal,
  taskId: string | number,
  filter: TaskLogFilter,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<{ task: Pick<Task, 'uuid'>; lines: TaskLogLine[]; total: number }> {
  const task = await accessibleTask(ctx, who, taskId)
  const where = conditionOf(task.id, filter)
  const [[total], lines] = await Promise.all([
    ctx.db.select({ n: count() }).from(taskLogs).where(where),
    ctx.db
      .select()
      .from(taskLogs)
      .where(where)
      .orderBy(asc(taskLogs.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return { task, lines, total: total!.n }
}

/**
 * The oldest lines behind a position; without a position the newest lines. The oldest of them first.
 * @throws AppError NOT_FOUND, also for another user's task
 */
export async function someOfTaskLog(
  ctx: Context,
  who: Principal,
  taskId: string | number,
  filter: TaskLogFilter,
  limit: number,
): Promise<TaskLogLine[]> {
  const where = conditionOf((await accessibleTask(ctx, who, taskId)).id, filter)
  const isNewest = filter.after === undefined
  const lines = await ctx.db
    .select()
    .from(taskLogs)
    .where(where)
    .orderBy(isNewest ? desc(taskLogs.id) : asc(taskLogs.id))
    .limit(limit)
  return isNewest ? lines.reverse() : lines
}

const conditionOf = (taskId: number, { level, after }: TaskLogFilter) =>
  and(
    eq(taskLogs.taskId, taskId),
    level && eq(taskLogs.level, level),
    after === undefined ? undefined : gt(taskLogs.id, after),
  )

/** Lines that {@link linesAfter} reads at most. */
export const MAX_PAGE = 100

/** Some lines of a task behind a position, the oldest first. Fewer than {@link MAX_PAGE}: there are no more for now. */
export const linesAfter = prepared((db) =>
  db
    .select()
    .from(taskLogs)
    .where(and(eq(taskLogs.taskId, sql.placeholder('taskId')), gt(taskLogs.id, sql.placeholder('after'))))
    .orderBy(asc(taskLogs.id))
    .limit(MAX_PAGE)
    .prepare('task_logs_after'),
)

/** The position of the newest line of a task; 0 when it has none. */
export async function lastPosition({ db }: Pick<Context, 'db'>, taskId: number): Promise<number> {
  const [last] = await db
    .select({ id: taskLogs.id })
    .from(taskLogs)
    .where(eq(taskLogs.taskId, taskId))
    .orderBy(desc(taskLogs.id))
    .limit(1)
  return last?.id ?? 0
}

/** The lines of all tasks that were stored on a day (YYYY-MM-DD, in UTC), the oldest first, in pieces. */
export const taskLogsOfDay = ({ db }: Pick<Context, 'db'>, day: string) =>
  rowsOfDay(db, { id: taskLogs.id, at: taskLogs.createdAt }, day, (where, limit) =>
    db
      .select({ ...getTableColumns(taskLogs), taskUuid: tasks.uuid, userUuid: users.uuid })
      .from(taskLogs)
      .innerJoin(tasks, eq(tasks.id, taskLogs.taskId))
      .innerJoin(users, eq(users.id, tasks.userId))
      .where(where)
      .orderBy(asc(taskLogs.id))
      .limit(limit),
  )
