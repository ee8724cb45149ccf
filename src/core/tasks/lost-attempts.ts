/** Attempts whose node is gone or has given them back: their tasks go back to the queue, or fail when they are lost too often. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { taskEvent } from './events.ts'
import type { Failure } from './failures.ts'
import { nodeHint, queueHint } from './hints.ts'
import { addLogs, noteLine } from './logs.ts'
import { taskTopic } from './progress.ts'
import type { Task } from './rows.ts'
import { byOwner, failTask } from './settlement.ts'

/** A task fails when it has lost this many attempts with their nodes. */
const MAX_LOST_ATTEMPTS = 3

/** The tasks that a node holds, assigned or running. */
export async function heldTasks(ctx: Context, nodeId: number): Promise<Task[]> {
  return ctx.db
    .select()
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodeId), inArray(tasks.status, ['pending', 'running'])))
}

/**
 * Ends attempts whose node is gone. Each task goes back to the queue; with its third loss it fails, at no cost to its owner.
 * @param held what the caller has seen; a task that has changed since stays as it is
 */
export async function loseAttempts(
  tx: Tx,
  held: Pick<Task, 'id' | 'attempt'>[],
  why: Failure,
): Promise<void> {
  if (held.length === 0) return
  const locked = await tx.db
    .select()
    .from(tasks)
    .where(
      and(
        inArray(
          tasks.id,
          held.map((task) => task.id),
        ),
        inArray(tasks.status, ['pending', 'running']),
      ),
    )
    .orderBy(tasks.id)
    .for('update')
  const current = new Map(held.map((task) => [task.id, task.attempt]))
  const lost = locked.filter((task) => task.nodeId !== null && current.get(task.id) === task.attempt)
  if (lost.length === 0) return
  const final = lost.filter((task) => task.lostAttempts + 1 >= MAX_LOST_ATTEMPTS)
  const requeued = lost.filter((task) => !final.includes(task))
  await tx.db
    .update(tasks)
    .set({
      lostAttempts: sql`${tasks.lostAttempts} + 1`,
      lostBy: sql`case when ${tasks.lostBy} @> to_jsonb(${tasks.nodeId}) then ${tasks.lostBy}
        else ${tasks.lostBy} || to_jsonb(${tasks.nodeId}) end`,
    })
    .where(
      inArray(
        tasks.id,
        lost.map((task) => task.id),
      ),
    )
  await addLogs(
    tx,
    final.map((task) => noteLine(task, why)),
  )
  for (const task of byOwner(final)) {
    const params = { ...why.params, attempt: task.lostAttempts + 1, attempts: MAX_LOST_ATTEMPTS }
    await failTask(tx, task, { code: why.code, params }, false)
    tellLost(tx, task)
  }
  await requeue(tx, requeued, why)
}

/** Puts tasks that the caller has locked back into the queue and tells their nodes to stop. */
export async function requeue(tx: Tx, held: Task[], why: Failure): Promise<void> {
  if (held.length === 0) return
  await addLogs(
    tx,
    held.map((task) => noteLine(task, why)),
  )
  const queued = await tx.db
    .update(tasks)
    .set({
      status: 'pending',
      progress: 0,
      currentItem: '',
      nodeId: null,
      leasedAt: null,
      attemptStartedAt: null,
      updatedAt: sql`now()`,
    })
    .where(
      inArray(
        tasks.id,
        held.map((task) => task.id),
      ),
    )
    .returning()
  for (const task of queued) tx.emit(task.userId, 'task.requeued', { ...taskEvent(task), reason: why })
  for (const task of held) tellLost(tx, task)
  tx.afterCommit(() => tx.bus.publish(queueHint, null))
}

function tellLost(tx: Tx, { nodeId, uuid, attempt }: Task): void {
  tx.afterCommit(() => {
    tx.bus.setState(taskTopic(uuid), undefined)
    tx.bus.publish(nodeHint, { nodeId: nodeId!, command: { type: 'lost', taskId: uuid, attempt } })
  })
}
