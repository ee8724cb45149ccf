import { inArray, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import { snakeKeys } from '../../util/case.ts'
import type { Context, Tx } from '../context.ts'
import { type Failure, type FailureParams, failureText } from './failures.ts'
import { taskLogsHint } from './log-hints.ts'
import type { Task } from './rows.ts'

export interface NewLog {
  taskId: number
  attempt: number
  level: string
  message: string
  /** Only lines that the server writes itself have a code. */
  code?: string
  params?: FailureParams
}

/** A line that the server itself writes about an attempt. */
export const noteLine = (
  task: Pick<Task, 'id' | 'attempt'>,
  { code, params }: Failure,
  level: 'INFO' | 'WARNING' | 'ERROR' = 'WARNING',
): NewLog => ({
  taskId: task.id,
  attempt: task.attempt,
  level,
  message: failureText({ code, params }, 'en'),
  code,
  params,
})

/**
 * Appends lines in one statement, in this order. Lines of a deleted task, or of an attempt that is not the current one, are
 * dropped.
 *
 * The id of a line is its position in the log of its task. Whoever writes holds the row of the task from before the ids are
 * given until the commit, so that the lines of a task become visible in the order of their ids: a reader that goes on from the
 * last id that it has seen misses no line. Call it in a transaction only when the transaction has locked the tasks' rows.
 * @returns the ids of tasks whose lines are not stored, because another transaction holds their rows
 */
export async function addLogs(ctx: Pick<Context, 'db' | 'bus'>, lines: NewLog[]): Promise<number[]> {
  if (lines.length === 0) return []
  const taskIds = [...new Set(lines.map(({ taskId }) => taskId))]
  const ids = inArray(tasks.id, taskIds)
  const numbered = lines.map((line, n) => ({ n, ...line, params: line.params && snakeKeys(line.params) }))
  // A join returns rows in any order, and ids follow the order of rows: without `order by` the log would be shuffled.
  const held = await ctx.db.execute<{ id: number }>(sql`
    with free as materialized (
      select id, attempt from tasks where ${ids} order by id for no key update skip locked
    ), added as (
      insert into task_logs (task_id, attempt, level, message, code, params)
      select l."taskId", l.attempt, l.level, l.message, l.code, l.params
      from json_to_recordset(${JSON.stringify(numbered)}::text::json)
        as l(n int, "taskId" int, attempt int, level text, message text, code text, params json)
      join free t on t.id = l."taskId" and t.attempt = l.attempt
      order by l.n
    )
    select id from tasks where ${ids} and id not in (select id from free)`)
  const without = held.map(({ id }) => id)
  const added = taskIds.filter((id) => !without.includes(id))
  const tell = () => ctx.bus.publish(taskLogsHint, added)
  if (added.length > 0) afterCommit(ctx, tell)
  return without
}

const afterCommit = (ctx: Pick<Context, 'bus'> | Tx, run: () => void): void =>
  'afterCommit' in ctx ? ctx.afterCommit(run) : run()
