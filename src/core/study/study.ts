/** What users do to study tasks: docs/contracts/study.md, "Study tasks". */
import { eq, type SQL, sql } from 'drizzle-orm'
import { type StudyItem, studyRunners, studyRuns, tasks } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { auditForeign } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { presentProvider } from '../courses/progress.ts'
import { getStudySettings } from '../courses/settings.ts'
import { AppError } from '../errors.ts'
import { taskEvent } from '../tasks/events.ts'
import { failure } from '../tasks/failures.ts'
import { addLogs, noteLine } from '../tasks/logs.ts'
import { taskTopic } from '../tasks/progress.ts'
import type { Task } from '../tasks/rows.ts'
import type { TaskStatus } from '../tasks/states.ts'
import { percentAt, stopRun } from '../tasks/study-runs.ts'
import { getTask, lockTask, type TaskDetail } from '../tasks/tasks.ts'
import { transaction } from '../transaction.ts'
import { runOf } from './lease.ts'
import { isFinished, labelOf, makePlan } from './plan.ts'
import { currentItemOf, firstPlace, type Run } from './run.ts'

/**
 * Starts a pending study task: it plays what its owner has not finished in its courses, at the speed that the owner has set.
 * @throws AppError NOT_FOUND, INVALID_STATE, NOT_A_STUDY_TASK, COURSE_NOT_FOUND, TOO_MANY_ITEMS, and those of the provider
 */
export async function startTask(ctx: Context, who: Actor, id: string | number): Promise<TaskDetail> {
  const task = await getTask(ctx, who, id)
  assertStudy(task, 'pending')
  const { speed, notOpenAction } = await getStudySettings(ctx, task.userId)
  const items = await makePlan(ctx, task.userId, task.courseIds ?? [])
  await give(ctx, async (tx, runnerId) => {
    const locked = await lockTask(tx, who, id)
    assertStudy(locked, 'pending')
    const values = {
      ...firstPlace(items),
      provider: presentProvider(ctx),
      items,
      speed,
      notOpenAction,
      phase: 'waiting' as const,
      runnerId,
      beganMs: performance.now(),
    }
    const [run] = await tx.db
      .insert(studyRuns)
      .values({ taskId: locked.id, ...values })
      .onConflictDoUpdate({
        target: studyRuns.taskId,
        set: { ...values, revision: sql`${studyRuns.revision} + 1` },
      })
      .returning()
    const running = await setRunning(tx, locked, run!)
    const done = items.filter(isFinished).length
    const what = failure('study_started', { items: items.length, done, speed })
    await addLogs(tx, [noteLine(running, what, 'INFO')])
    tx.emit(running.userId, 'task.started', taskEvent(running))
    auditForeign(tx, who, { action: 'task.started', target: running.uuid, subject: running.userId })
    return runOf(running, run!)
  })
  return getTask(ctx, who, id)
}

/** @throws AppError NOT_FOUND, INVALID_STATE, NOT_A_STUDY_TASK */
export async function pauseTask(ctx: Context, who: Actor, id: string | number): Promise<TaskDetail> {
  await transaction(ctx, async (tx) => {
    const task = await lockTask(tx, who, id)
    assertStudy(task, 'running')
    const { item, position, progress } = (await stopRun(tx, task))!
    const [paused] = await tx.db
      .update(tasks)
      .set({ status: 'paused', progress, currentItem: currentItemOf(item, false), updatedAt: sql`now()` })
      .where(eq(tasks.id, task.id))
      .returning()
    await addLogs(tx, [noteLine(task, failure('study_paused', placeParams(item, position)), 'INFO')])
    tx.emit(task.userId, 'task.paused', taskEvent(paused!))
    auditForeign(tx, who, { action: 'task.paused', target: task.uuid, subject: task.userId })
    tx.afterCommit(() => tx.bus.setState(taskTopic(task.uuid), undefined))
  })
  return getTask(ctx, who, id)
}

/**
 * Goes on with a paused task where it was, at the speed that its owner has set meanwhile.
 * @throws AppError NOT_FOUND, INVALID_STATE, NOT_A_STUDY_TASK
 */
export async function resumeTask(ctx: Context, who: Actor, id: string | number): Promise<TaskDetail> {
  await give(ctx, async (tx, runnerId) => {
    const task = await lockTask(tx, who, id)
    assertStudy(task, 'paused')
    const { speed, notOpenAction } = await getStudySettings(tx, task.userId)
    const [run] = await tx.db
      .update(studyRuns)
      .set({
        speed,
        notOpenAction,
        phase: 'waiting',
        runnerId,
        beganMs: performance.now(),
        revision: sql`${studyRuns.revision} + 1`,
      })
      .where(eq(studyRuns.taskId, task.id))
      .returning()
    const { items, itemIndex, itemPosition } = run!
    const running = await setRunning(tx, task, run!)
    const params = { ...placeParams(items[itemIndex], itemPosition), speed }
    await addLogs(tx, [noteLine(running, failure('study_resumed', params), 'INFO')])
    tx.emit(task.userId, 'task.resumed', taskEvent(running))
    auditForeign(tx, who, { action: 'task.resumed', target: task.uuid, subject: task.userId })
    return runOf(running, run!)
  })
  return getTask(ctx, who, id)
}

/** Runs a change that gives a task to this server, and takes the task after the commit. */
async function give(
  ctx: Context,
  change: (tx: Tx, runnerId: SQL<string | null>) => Promise<Run>,
): Promise<void> {
  const { studyRunner } = ctx.services
  await studyRunner.giving(async (id) => {
    // Null when the row of this server is gone, because others have taken it for dead. The lock keeps it until the commit.
    const runnerId = sql<
      string | null
    >`(select r.id from ${studyRunners} r where r.id = ${id ?? null} for key share)`
    const run = await transaction(ctx, (tx) => change(tx, runnerId))
    studyRunner.take(run)
  })
}

async function setRunning(tx: Tx, task: Task, run: typeof studyRuns.$inferSelect): Promise<Task> {
  const [running] = await tx.db
    .update(tasks)
    .set({
      status: 'running',
      attempt: sql`${tasks.attempt} + 1`,
      progress: percentAt(run, run.itemPosition),
      currentItem: currentItemOf(run.items[run.itemIndex], false),
      startedAt: sql`coalesce(${tasks.startedAt}, now())`,
      attemptStartedAt: sql`now()`,
      updatedAt: sql`now()`,
    })
    .where(eq(tasks.id, task.id))
    .returning()
  return running!
}

const placeParams = (item: StudyItem | undefined, position: number) => ({
  item: item ? labelOf(item) : '',
  position: Math.floor(position),
})

/** @throws AppError NOT_A_STUDY_TASK, INVALID_STATE unless the task is in this state */
function assertStudy({ kind, status }: Task, expected: TaskStatus): void {
  if (kind !== 'study') throw new AppError('NOT_A_STUDY_TASK')
  if (status !== expected) throw new AppError('INVALID_STATE', { params: { status } })
}
