import { eq, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { endHold, runningCost } from '../money/ledger.ts'
import { taskEvent } from './events.ts'
import { type Failure, failureText } from './failures.ts'
import { taskTopic, withCurrentProgress } from './progress.ts'
import type { Task } from './rows.ts'
import { assertTransition } from './states.ts'
import { stopRun } from './study-runs.ts'

export type Ending =
  | { status: 'completed'; result: Record<string, unknown> }
  | { status: 'failed'; failure: Failure; charge?: boolean }
  | { status: 'cancelled'; failure?: Failure | undefined }

/**
 * Ends a task that the caller has locked: its state, its hold and its cost in one step. The user pays for the time of the
 * current attempt, at most the hold. `charge: false` is for attempts that a node lost.
 * @throws AppError INVALID_STATE
 */
export async function settleTask(tx: Tx, task: Task, ending: Ending): Promise<Task> {
  assertTransition(task.status, ending.status)
  const charged = ending.status !== 'failed' || ending.charge !== false
  const ranMs = charged && task.heldMinor > 0 ? await ranFor(tx, task) : 0
  const costMinor = Math.min(task.heldMinor, runningCost(task.priceMinorPerMinute, ranMs))
  await endHold(tx, task, costMinor)
  const stopped = task.kind === 'study' ? await stopRun(tx, task) : undefined
  const { progress, currentItem } = withCurrentProgress(tx, task)
  const [ended] = await tx.db
    .update(tasks)
    .set({
      status: ending.status,
      progress: stopped && task.status === 'running' ? stopped.progress : progress,
      currentItem,
      ...(ending.status === 'completed' && { progress: 100, result: ending.result }),
      ...('failure' in ending && ending.failure && failureColumns(ending.failure)),
      heldMinor: 0,
      unplaceableAt: null,
      costMinor: task.costMinor + costMinor,
      leasedAt: null,
      completedAt: sql`now()`,
      updatedAt: sql`now()`,
    })
    .where(eq(tasks.id, task.id))
    .returning()
  tx.afterCommit(() => tx.bus.setState(taskTopic(task.uuid), undefined))
  return ended!
}

/**
 * {@link settleTask} for a task that failed, with its event.
 * @param charge false when the node lost the attempt
 */
export async function failTask(tx: Tx, task: Task, why: Failure, charge = true): Promise<void> {
  const ended = await settleTask(tx, task, { status: 'failed', failure: why, charge })
  tx.emit(task.userId, 'task.failed', { ...taskEvent(ended), failure: why, costMinor: ended.costMinor })
}

/** The order in which one transaction ends tasks of several users, because accounts are locked in the order of their users. */
export const byOwner = (ended: Task[]): Task[] => ended.toSorted((a, b) => a.userId - b.userId)

const failureColumns = (failure: Failure) => ({
  errorMessage: failureText(failure, 'en'),
  failureCode: failure.code,
  failureParams: failure.params,
})

/**
 * Milliseconds by the database's clock, which also set the beginning; 0 when the attempt never began or that clock was
 * set back.
 */
async function ranFor(tx: Tx, { id }: Task): Promise<number> {
  const [row] = await tx.db
    .select({
      ms: sql<number>`greatest(extract(epoch from now() - ${tasks.attemptStartedAt}) * 1000, 0)::float8`,
    })
    .from(tasks)
    .where(eq(tasks.id, id))
  return row!.ms
}
