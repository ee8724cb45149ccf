/**
 * What a node may do to a task. Every function names the attempt and changes nothing unless that attempt is the current one
 * and this node holds it (fencing).
 */
import { eq, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { type CannotStart, nodes, tasks } from '../../db/schema/index.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import { UUID } from '../../util/ids.ts'
import type { Context, Tx } from '../context.ts'
import { transaction } from '../transaction.ts'
import { taskEvent } from './events.ts'
import { failure, type ReportedFailure, reportedFailure } from './failures.ts'
import { queueHint } from './hints.ts'
import { addLogs, noteLine } from './logs.ts'
import { loseAttempts, requeue } from './lost-attempts.ts'
import { type TaskState, taskTopic } from './progress.ts'
import type { Task } from './rows.ts'
import { failTask, settleTask } from './settlement.ts'

export interface AttemptKey {
  nodeId: number
  /** UUID of the task. */
  taskUuid: string
  attempt: number
}

async function lockAttempt(tx: Tx, key: AttemptKey): Promise<Task | undefined> {
  // PostgreSQL refuses to compare a value that is no UUID with its ids, and the node would repeat its report for ever.
  if (!UUID.test(key.taskUuid)) return undefined
  const [task] = await tx.db.select().from(tasks).where(eq(tasks.uuid, key.taskUuid)).for('update')
  return task && task.nodeId === key.nodeId && task.attempt === key.attempt ? task : undefined
}

/** The node has accepted the task. @returns the running task, or undefined when the attempt is stale */
export async function acceptAttempt(ctx: Context, key: AttemptKey): Promise<Task | undefined> {
  return transaction(ctx, async (tx) => {
    const task = await lockAttempt(tx, key)
    if (task?.status === 'running') return task
    if (task?.status !== 'pending') return undefined
    const [running] = await tx.db
      .update(tasks)
      .set({
        status: 'running',
        progress: 0,
        currentItem: '',
        startedAt: sql`coalesce(${tasks.startedAt}, now())`,
        attemptStartedAt: sql`now()`,
        updatedAt: sql`now()`,
      })
      .where(eq(tasks.id, task.id))
      .returning()
    const [node] = await tx.db.select({ uuid: nodes.uuid }).from(nodes).where(eq(nodes.id, key.nodeId))
    tx.emit(task.userId, 'task.started', { ...taskEvent(running!), nodeUuid: node!.uuid })
    const state: TaskState = { attempt: key.attempt, progress: 0, currentItem: '' }
    tx.afterCommit(() => tx.bus.setState(taskTopic(task.uuid), state))
    return running!
  })
}

/** The reason of a `reject` when the node could not start the task's program. */
export const CANNOT_START = 'cannot_start'
/** For this time after such a `reject` the node gets no task of the type. */
export const CANNOT_START_SECONDS = 60

export interface Rejection {
  reason: string
  /** The cause, for administrators. */
  detail?: string | undefined
}

/**
 * The node gives the task back, and the task returns to the queue. The attempt counts as lost when it had begun, unless the
 * node could not start the program; then the server notes that the node cannot run this task type.
 * @returns the rejected task, or undefined when the attempt is stale
 */
export async function rejectAttempt(
  ctx: Context,
  key: AttemptKey,
  rejection: Rejection,
): Promise<Task | undefined> {
  const { reason, detail } = rejection
  return transaction(ctx, async (tx) => {
    const task = await lockAttempt(tx, key)
    const unable = reason === CANNOT_START
    const why = unable ? failure('cannot_start') : failure('refused', { detail: reason })
    if (task?.status === 'running') {
      if (unable) await requeue(tx, [task], why)
      else await loseAttempts(tx, [task], failure('node_gave_back', { detail: reason }))
    } else if (task?.status === 'pending') {
      await tx.db.update(tasks).set({ nodeId: null, leasedAt: null }).where(eq(tasks.id, task.id))
      await addLogs(tx, [noteLine(task, why)])
      tx.afterCommit(() => ctx.bus.publish(queueHint, null))
    } else return undefined
    if (unable) await noteCannotStart(tx, key.nodeId, task.taskType!, detail ?? '')
    return task
  })
}

/** Keeps the newest note on each task type. The database sets its time. */
const noteCannotStart = (tx: Tx, nodeId: number, taskType: string, message: string): Promise<void> =>
  changeCannotStart(tx, nodeId, (known, at) =>
    [...known.filter((one) => one.taskType !== taskType), { taskType, message, at }].slice(-MAX_CANNOT_START),
  )

/** A task of this type has run on the node, so that the note on the type is out of date. */
export const forgetCannotStart = (tx: Tx, nodeId: number, taskType: string | null): Promise<void> =>
  changeCannotStart(tx, nodeId, (known) => known.filter((one) => one.taskType !== taskType))

async function changeCannotStart(
  tx: Tx,
  nodeId: number,
  change: (known: CannotStart[], now: string) => CannotStart[],
): Promise<void> {
  const [node] = await tx.db
    .select({ known: nodes.cannotStart, now: rfc3339(sql`now()`) })
    .from(nodes)
    .where(eq(nodes.id, nodeId))
    .for('update')
  if (!node) return
  await tx.db
    .update(nodes)
    .set({ cannotStart: change(node.known, node.now) })
    .where(eq(nodes.id, nodeId))
}

/** A node has at most 100 task types. */
const MAX_CANNOT_START = 100

/** A node's report of the end of an attempt. */
export type FinalReport =
  | { status: 'completed'; result: Record<string, unknown> }
  | ({ status: 'failed' } & ReportedFailure)

/**
 * Ends an attempt by the node's report.
 * @returns `ended`; or, without any change, `repeated` when the attempt has ended before (by this node, or because its owner
 * cancelled it) and `stale` when it does not belong to this node any more
 */
export async function endAttempt(
  ctx: Context,
  key: AttemptKey,
  report: FinalReport,
): Promise<'ended' | 'repeated' | 'stale'> {
  return transaction(ctx, async (tx) => {
    const task = await lockAttempt(tx, key)
    if (!task || task.status === 'pending') return 'stale'
    if (task.status !== 'running' && task.status !== 'paused') return 'repeated'
    if (report.status === 'completed') {
      const ended = await settleTask(tx, task, report)
      const { costMinor } = ended
      tx.emit(task.userId, 'task.completed', { ...taskEvent(ended), result: report.result, costMinor })
    } else {
      await failTask(tx, task, reportedFailure(report))
    }
    return 'ended'
  })
}

/** Those of the attempts in memory that have ended, because another server ended them. */
export async function endedAttempts(
  ctx: Context,
  held: (AttemptKey & { taskId: number })[],
): Promise<AttemptKey[]> {
  if (held.length === 0) return []
  return [
    ...(await ctx.db.execute<AttemptKey & Record<string, unknown>>(sql`
      select h."nodeId", h."taskUuid", h.attempt
      from json_to_recordset(${JSON.stringify(held)}::text::json)
        as h("nodeId" int, "taskUuid" text, "taskId" int, attempt int)
      left join tasks t on t.id = h."taskId" and t.node_id = h."nodeId" and t.attempt = h.attempt
        and t.status in ('pending', 'running') and t.id = any(${intArray(held.map(({ taskId }) => taskId))})
      where t.id is null`)),
  ]
}
