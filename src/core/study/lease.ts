/**
 * Which server runs which task: docs/operations.md, "Study tasks". A server that runs tasks writes a beat; when the beats stop, the
 * other servers take over from the last one. Every take-over raises the attempt of the task.
 */
import { sql } from 'drizzle-orm'
import { rowReader } from '../../db/row-reader.ts'
import { studyRunners, studyRuns, tasks, users } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { failure } from '../tasks/failures.ts'
import { addLogs, noteLine } from '../tasks/logs.ts'
import { positionSql } from '../tasks/study-runs.ts'
import { transaction } from '../transaction.ts'
import { notedIn, type Run } from './run.ts'

/** The beats of another server. */
export interface Beat {
  id: string
  beatMs: number
  /** By the clock of the database. */
  ageMs: number
}

/** Makes the row of a server that is about to run its first task. */
export async function register(ctx: Context, id: string): Promise<void> {
  const beatMs = performance.now()
  await ctx.db.insert(studyRunners).values({ id, beatMs }).onConflictDoNothing()
}

export async function unregister(ctx: Context, id: string): Promise<void> {
  await ctx.db.delete(studyRunners).where(sql`${studyRunners.id} = ${id}`)
}

/**
 * Writes this server's beat and reads those of the others.
 * @returns `alive`: whether the server still has its row. Without it, others have taken its tasks. `free`: tasks wait for a
 * server
 */
export async function beat(
  ctx: Context,
  id: string,
): Promise<{ alive: boolean; free: boolean; others: Beat[] }> {
  const [row] = await ctx.db.execute<{ alive: boolean; free: boolean; others: Beat[] | null }>(sql`
    with own as (
      update ${studyRunners} set beat_ms = ${performance.now()}, beat_at = clock_timestamp() where id = ${id} returning id
    )
    select exists (select from own) as alive,
      exists (select from ${studyRuns} where runner_id is null and phase <> 'still') as free,
      (select json_agg(json_build_object('id', id, 'beatMs', beat_ms,
        'ageMs', extract(epoch from clock_timestamp() - beat_at) * 1000)) from ${studyRunners} where id <> ${id}) as others`)
  const { alive, free, others } = row!
  return { alive, free, others: others ?? [] }
}

/**
 * Takes the tasks from a server that is dead: each stops where it was at the last beat and waits for another server.
 * @returns false when the server has written another beat, or while an open transaction locks one of its rows
 */
export async function bury(ctx: Context, { id, beatMs }: Beat): Promise<boolean> {
  // The row goes first. A dead server that comes back finds it gone, and starts that are under way find no runner.
  return transaction(ctx, async (tx) => {
    // A server that hangs in a transaction keeps its locks for seconds. Waiting for them would delay the beat of this one.
    const found = await tx.db.execute(
      sql`select from ${studyRunners} where id = ${id} and beat_ms = ${beatMs} for update skip locked`,
    )
    if (found.length === 0) return false
    const [row] = await tx.db.execute<{ allFree: boolean }>(sql`
      select count(*) = (select count(*) from ${studyRuns} where runner_id = ${id}) as "allFree"
      from (select from ${studyRuns} where runner_id = ${id} order by task_id for no key update skip locked) free`)
    if (!row!.allFree) return false
    await leave(tx, id, beatMs)
    return true
  })
}

/** This server stops: its tasks wait for another server, or for the next start, where they are now. */
export const handOver = (ctx: Context, id: string): Promise<void> =>
  transaction(ctx, (tx) => leave(tx, id, performance.now()))

/** The reference point of each task moves to `nowMs`, so that nothing counts twice the time before. */
async function leave(ctx: Pick<Context, 'db'>, id: string, nowMs: number): Promise<void> {
  await ctx.db.execute(sql`
    with held as materialized (
      select task_id from ${studyRuns} where runner_id = ${id} order by task_id for no key update
    )
    update ${studyRuns} s set item_position = ${positionSql(sql`${nowMs}::float8`)}, began_ms = ${nowMs}, runner_id = null,
      revision = s.revision + 1
    from held where s.task_id = held.task_id`)
  await ctx.db.delete(studyRunners).where(sql`${studyRunners.id} = ${id}`)
}

const readRun = rowReader(studyRuns)

interface AdoptedRow extends Record<string, unknown> {
  id: number
  uuid: string
  userId: number
  attempt: number
  currentItem: string
}

/** The ids of tasks behind `after` that wait for a server, in their order. */
export async function waitingTasks(ctx: Context, after: number, limit: number): Promise<number[]> {
  const rows = await ctx.db.execute<{ id: number }>(sql`
    select task_id as id from ${studyRuns} where runner_id is null and phase <> 'still' and task_id > ${after}
    order by task_id limit ${limit}`)
  return rows.map(({ id }) => id)
}

/**
 * Takes those of these tasks that still wait for a server. Tasks that another transaction holds wait on, and so do those of a
 * deleted user until a job deletes them.
 */
export async function adopt(ctx: Context, runnerId: string, taskIds: number[]): Promise<Run[]> {
  if (taskIds.length === 0) return []
  return transaction(ctx, async (tx) => {
    const rows = await tx.db.execute<AdoptedRow>(sql`
      with mine as materialized (
        select id from ${studyRunners} where id = ${runnerId} for key share
      ), free as materialized (
        select t.id from json_array_elements_text(${JSON.stringify(taskIds)}::text::json) as w(id)
        join ${studyRuns} s on s.task_id = w.id::int join ${tasks} t on t.id = s.task_id
        where s.runner_id is null and s.phase <> 'still' and t.status = 'running'
          and exists (select from ${users} u where u.id = t.user_id and u.deleted_at is null)
        order by t.id for no key update of t, s skip locked
      ), runs as (
        update ${studyRuns} s set runner_id = mine.id, began_ms = ${performance.now()}, revision = s.revision + 1
        from free, mine where s.task_id = free.id
        returning s.*
      )
      update ${tasks} t set attempt = t.attempt + 1, attempt_started_at = now(), updated_at = now()
      from runs where t.id = runs.task_id
      returning t.id, t.uuid, t.user_id as "userId", t.attempt, t.current_item as "currentItem", runs.*`)
    const runs = rows.map((row) => runOf(row, readRun(row)))
    await addLogs(
      tx,
      runs.map(({ taskId: id, attempt, currentItem: item, itemPosition }) => {
        const params = { item, position: Math.floor(itemPosition) }
        return noteLine({ id, attempt }, failure('study_moved', params), 'INFO')
      }),
    )
    return runs
  })
}

/** The run of a task that the database has just given to this server. */
export const runOf = (
  task: Pick<AdoptedRow, 'id' | 'uuid' | 'userId' | 'attempt' | 'currentItem'>,
  row: typeof studyRuns.$inferSelect,
): Run => ({
  ...row,
  taskUuid: task.uuid,
  userId: task.userId,
  attempt: task.attempt,
  currentItem: task.currentItem,
  phase: row.phase === 'playing' ? 'playing' : 'waiting',
  noted: notedIn(task.currentItem),
  asked: 0,
  announcedAt: performance.now(),
})

/** Those of the runs in memory that this server does not run any more, because a request on another server has stopped them. */
export async function endedRuns(ctx: Context, runs: Iterable<Run>): Promise<Set<number>> {
  const held = [...runs].map(({ taskId, attempt, runnerId }) => ({ taskId, attempt, runnerId }))
  const rows = await ctx.db.execute<{ taskId: number }>(sql`
    select h."taskId" from json_to_recordset(${JSON.stringify(held)}::text::json) as h("taskId" int, attempt int, "runnerId" uuid)
    left join ${tasks} t on t.id = h."taskId" and t.attempt = h.attempt and t.status = 'running'
    left join ${studyRuns} s on s.task_id = t.id and s.runner_id = h."runnerId"
    where s.task_id is null`)
  return new Set(rows.map(({ taskId }) => taskId))
}
