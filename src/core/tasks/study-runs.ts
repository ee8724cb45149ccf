/** Where a study task is in its plan. Any server may read it and stop the task; only `core/study` moves the task on. */
import { sql } from 'drizzle-orm'
import type { ProviderName, STUDY_PHASES, StudyItem } from '../../db/schema/index.ts'
import { studyRunners, studyRuns } from '../../db/schema/index.ts'
import { camelKeys } from '../../util/case.ts'
import type { Tx } from '../context.ts'
import { recordProgress } from '../courses/progress.ts'
import { studyHint } from './hints.ts'
import type { Task } from './rows.ts'
import { TRUST_MS } from './runner-clocks.ts'

/** What the figures of a study task are computed from. Seconds; `beganMs` is a time of the runner's monotonic clock. */
export interface StudyRun {
  revision: number
  phase: (typeof STUDY_PHASES)[number]
  itemPosition: number
  itemDuration: number
  /** Without the current item. */
  doneSeconds: number
  totalSeconds: number
  speed: number
  runnerId: string | null
  beganMs: number
}

/** A stored run with its runner's last beat. */
export interface StudyRunRow extends StudyRun {
  beatMs: number | null
  beatAgeMs: number | null
}

/**
 * The run of a task that a query reads; null for a task without one. Its columns are written out, because Drizzle leaves
 * their table out of a query without joins.
 */
export const storedRun = sql<StudyRunRow | null>`case when "tasks".kind = 'study' then (
  select json_build_object('revision', s.revision, 'phase', s.phase, 'itemPosition', s.item_position,
    'itemDuration', s.item_duration, 'doneSeconds', s.done_seconds, 'totalSeconds', s.total_seconds, 'speed', s.speed,
    'runnerId', s.runner_id, 'beganMs', s.began_ms, 'beatMs', r.beat_ms,
    'beatAgeMs', extract(epoch from clock_timestamp() - r.beat_at) * 1000)
  from ${studyRuns} s left join ${studyRunners} r on r.id = s.runner_id where s.task_id = "tasks".id) end`

/** Seconds of the item at a time of the runner's clock. */
export const positionAt = (run: StudyRun, runnerMs: number | undefined): number =>
  run.phase === 'playing' && runnerMs !== undefined
    ? Math.min(run.itemDuration, run.itemPosition + (Math.max(runnerMs - run.beganMs, 0) / 1000) * run.speed)
    : run.itemPosition

/** The most that a task can show before its end: it may wait for an item whose duration is not known yet. */
const MAX_PERCENT = 99.9

/** Percent of the whole task. */
export const percentAt = ({ doneSeconds, totalSeconds }: StudyRun, itemPosition: number): number =>
  totalSeconds > 0 ? Math.min((100 * (doneSeconds + itemPosition)) / totalSeconds, MAX_PERCENT) : 0

/** The same as {@link positionAt} in SQL, of the run `s` when the runner's clock shows `runnerMs`. */
export const positionSql = (runnerMs: ReturnType<typeof sql>) => sql`case when s.phase = 'playing' then
  least(s.item_duration, s.item_position + greatest(coalesce((${runnerMs}) - s.began_ms, 0), 0) / 1000 * s.speed)
  else s.item_position end`

/** The clock of the runner `r` of the run `s` now: this server knows its own, and that of another from the last beat. */
const runnerNow = ({ services }: Tx) => sql`case when s.runner_id = ${services.runnerClocks.own ?? null}::uuid
  then ${performance.now()}::float8
  else r.beat_ms + least(greatest(extract(epoch from clock_timestamp() - r.beat_at)::float8 * 1000, 0), ${TRUST_MS}) end`

/** Where a task stood when it was stopped. */
export interface StoppedRun {
  item: StudyItem | undefined
  position: number
  /** Percent of the whole task. */
  progress: number
}

/**
 * Stops the run of a task that the caller has locked, wherever it runs, and records how far the learner has come.
 * @returns undefined when the task has never run
 */
export async function stopRun(tx: Tx, task: Task): Promise<StoppedRun | undefined> {
  const [row] = await tx.db.execute<
    StudyRun & { provider: ProviderName; item: Record<string, unknown> | null; [key: string]: unknown }
  >(sql`
    update ${studyRuns} s set item_position = at.position, phase = 'still', runner_id = null, revision = s.revision + 1
    from (
      select s.task_id, ${positionSql(runnerNow(tx))} as position
      from ${studyRuns} s left join ${studyRunners} r on r.id = s.runner_id where s.task_id = ${task.id}
    ) at
    where s.task_id = at.task_id
    returning s.phase, s.item_position as "itemPosition", s.item_duration as "itemDuration", s.done_seconds as "doneSeconds",
      s.total_seconds as "totalSeconds", s.provider, s.items -> s.item_index as item`)
  if (!row) return undefined
  const item = row.item ? (camelKeys(row.item) as unknown as StudyItem) : undefined
  const { itemPosition: position, itemDuration: duration } = row
  const { userId, id: taskId, attempt } = task
  if (item && position > 0) {
    const { courseId, itemId } = item
    await recordProgress(tx, [
      {
        provider: row.provider,
        userId,
        courseId,
        itemId,
        position,
        isDone: duration > 0 && position >= duration,
      },
    ])
  }
  tx.afterCommit(() => tx.bus.publish(studyHint, { type: 'stopped', taskId, attempt }))
  return { item, position, progress: percentAt(row, position) }
}

/** A task that is put back begins anew: its plan is made when it is started. */
export async function resetRun(tx: Tx, taskId: number): Promise<void> {
  await tx.db
    .update(studyRuns)
    .set({
      items: [],
      itemIndex: 0,
      itemPosition: 0,
      itemDuration: 0,
      doneSeconds: 0,
      totalSeconds: 0,
      revision: sql`${studyRuns.revision} + 1`,
    })
    .where(sql`${studyRuns.taskId} = ${taskId}`)
}
