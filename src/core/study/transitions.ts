/** Stores what study tasks come to, many in one transaction. */
import { inArray, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { studyRuns, tasks, users } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { type ItemProgress, recordProgress } from '../courses/progress.ts'
import { type TaskEvent, taskEvent } from '../tasks/events.ts'
import { type Failure, failure } from '../tasks/failures.ts'
import { addLogs, noteLine } from '../tasks/logs.ts'
import { failTask } from '../tasks/settlement.ts'
import { percentAt } from '../tasks/study-runs.ts'
import { transaction } from '../transaction.ts'
import type { Place, Run } from './run.ts'

/** A line of the task's log. */
export interface Note {
  what: Failure
  level: 'INFO' | 'WARNING' | 'ERROR'
}

/** What a task comes to. */
export interface Transition {
  run: Run
  place: Place
  /** `completed`: the place is the end. `failed`: the task fails at this place. */
  to: 'playing' | 'waiting' | 'completed' | { failed: Failure }
  beganMs: number
  currentItem: string
  notes: Note[]
  /** How far the learner has come in the items that are left behind. */
  progress: ItemProgress[]
  noted: Run['noted']
}

export interface Stored {
  /** The new revisions of tasks that are stored and go on, and of those that have ended, by task id. */
  stored: Map<number, number>
  /** Tasks that another transaction holds at this moment. */
  locked: Set<number>
}

/**
 * Stores transitions. The attempt fences each: a task that another server runs, or that a user has stopped, is in neither part of the
 * answer, and nothing of it has changed.
 */
export async function storeTransitions(ctx: Context, transitions: Transition[]): Promise<Stored> {
  return transaction(ctx, async (tx) => {
    const { held, locked } = await lockHeld(tx, transitions)
    const mine = transitions.filter(({ run }) => held.has(run.taskId))
    if (mine.length === 0) return { stored: new Map(), locked }
    const rows = await move(tx, mine)
    await addLogs(tx, mine.flatMap(linesOf))
    await recordProgress(
      tx,
      mine.flatMap(({ progress }) => progress),
    )
    for (const row of rows) {
      if (row.to === 'completed')
        tx.emit(row.userId, 'task.completed', { ...taskEvent(row), result: {}, costMinor: 0 })
    }
    await failAll(tx, mine)
    return { stored: new Map(rows.map(({ id, revision }) => [id, revision])), locked }
  })
}

const linesOf = ({ run, notes, to }: Transition) => {
  const task = { id: run.taskId, attempt: run.attempt }
  return [...notes, ...lastNote(to)].map(({ what, level }) => noteLine(task, what, level))
}

function lastNote(to: Transition['to']): Note[] {
  if (to === 'completed') return [{ what: failure('study_completed'), level: 'INFO' }]
  return typeof to === 'object' ? [{ what: to.failed, level: 'ERROR' }] : []
}

/**
 * The ids of the tasks, for a condition of their own. From the JSON alone the planner expects 100 rows, and would read all running
 * tasks of all users.
 */
const idsOf = (transitions: Transition[]) => intArray(transitions.map(({ run }) => run.taskId))

/** Locks the tasks that this server still runs. */
async function lockHeld(
  tx: Tx,
  transitions: Transition[],
): Promise<{ held: Set<number>; locked: Set<number> }> {
  const wanted = transitions.map(({ run: { taskId: id, attempt, runnerId } }) => ({ id, attempt, runnerId }))
  const ids = idsOf(transitions)
  const current = sql`from json_to_recordset(${JSON.stringify(wanted)}::text::json) as w(id int, attempt int, "runnerId" uuid)
    join ${tasks} t on t.id = w.id and t.attempt = w.attempt and t.status = 'running'
    join ${studyRuns} s on s.task_id = t.id and s.runner_id = w."runnerId"
    join ${users} u on u.id = t.user_id and u.deleted_at is null
    where t.id = any(${ids}) and s.task_id = any(${ids})`
  const held = await tx.db.execute<{ id: number }>(
    sql`select t.id ${current} order by t.id for no key update of t, s skip locked`,
  )
  const heldIds = new Set(held.map(({ id }) => id))
  if (heldIds.size === transitions.length) return { held: heldIds, locked: new Set() }
  const all = await tx.db.execute<{ id: number }>(sql`select t.id ${current}`)
  return { held: heldIds, locked: new Set(all.map(({ id }) => id).filter((id) => !heldIds.has(id))) }
}

type Moved = TaskEvent & { userId: number; revision: number; to: string }

async function move(tx: Tx, transitions: Transition[]): Promise<Moved[]> {
  const moves = transitions.map(({ run, place, to, beganMs, currentItem }) => ({
    id: run.taskId,
    ...place,
    // A task that fails is stopped by `failTask`.
    to: typeof to === 'string' ? to : 'waiting',
    beganMs,
    currentItem,
    progress: to === 'completed' ? 100 : percentAt({ ...run, ...place }, place.itemPosition),
  }))
  const ids = idsOf(transitions)
  const rows = await tx.db.execute<Moved & Record<string, unknown>>(sql`
    with moves as materialized (
      select * from json_to_recordset(${JSON.stringify(moves)}::text::json) as m(id int, "itemIndex" int, "itemPosition" float8,
        "itemDuration" float8, "doneSeconds" float8, "totalSeconds" float8, "to" text, "beganMs" float8, "currentItem" text,
        progress float8)
    ), runs as (
      update ${studyRuns} s set item_index = m."itemIndex", item_position = m."itemPosition",
        item_duration = m."itemDuration", done_seconds = m."doneSeconds", total_seconds = m."totalSeconds",
        began_ms = m."beganMs", revision = s.revision + 1,
        phase = case m."to" when 'completed' then 'still' else m."to" end,
        runner_id = case m."to" when 'completed' then null else s.runner_id end
      from moves m where s.task_id = m.id and s.task_id = any(${ids})
      returning s.task_id, s.revision
    )
    update ${tasks} t set current_item = m."currentItem", progress = m.progress, updated_at = now(),
      status = case m."to" when 'completed' then 'completed' else t.status end,
      completed_at = case m."to" when 'completed' then now() else t.completed_at end
    from moves m join runs on runs.task_id = m.id where t.id = m.id and t.id = any(${ids})
    returning t.id, t.uuid, t.status, t.progress, t.title, t.attempt, t.user_id as "userId", runs.revision, m."to"`)
  return [...rows]
}

async function failAll(tx: Tx, transitions: Transition[]): Promise<void> {
  const failed = new Map(
    transitions.flatMap(({ run, to }) => (typeof to === 'object' ? [[run.taskId, to.failed]] : [])),
  )
  if (failed.size === 0) return
  const rows = await tx.db
    .select()
    .from(tasks)
    .where(inArray(tasks.id, [...failed.keys()]))
    .orderBy(tasks.id)
  for (const task of rows) await failTask(tx, task, failed.get(task.id)!)
}
