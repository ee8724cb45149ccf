/**
 * What a node may do to a task. Every function names the attempt and changes nothing unless that attempt is the current one
 * and this node holds it (fencing).
 */

import { and, eq, inArray, isNotNull, type SQL, sql } from 'drizzle-orm'
import { type CannotStart, nodes, tasks } from '../../db/schema/index.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import type { Ages } from '../../util/ages.ts'
import { UUID } from '../../util/ids.ts'
import type { Context, Tx } from '../context.ts'
import { sweepAll } from '../sweeps.ts'
import { systemConfig } from '../system/settings.ts'
import { transaction } from '../transaction.ts'
import { taskEvent } from './events.ts'
import { type Failure, failure, type ReportedFailure, reportedFailure } from './failures.ts'
import { nodeHint, queueHint } from './hints.ts'
import { addLogs, noteLine } from './logs.ts'
import { type TaskState, taskTopic } from './progress.ts'
import type { Task } from './rows.ts'
import { settleTask } from './settlement.ts'
import { tellNode } from './tasks.ts'

export interface AttemptKey {
  nodeId: number
  /** UUID of the task. */
  taskUuid: string
  attempt: number
}

/** A task fails when it has lost this many attempts with their nodes. */
const MAX_LOST_ATTEMPTS = 3
/** The server takes an assignment back when the node does not answer it in this time. */
export const ACCEPT_SECONDS = 10

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
async function noteCannotStart(tx: Tx, nodeId: number, taskType: string, text: string): Promise<void> {
  const [node] = await tx.db
    .select({ known: nodes.cannotStart, at: rfc3339(sql`now()`) })
    .from(nodes)
    .where(eq(nodes.id, nodeId))
    .for('update')
  if (!node) return
  const others = node.known.filter((one) => one.taskType !== taskType)
  const noted: CannotStart[] = [...others, { taskType, message: text, at: node.at }]
  await tx.db
    .update(nodes)
    .set({ cannotStart: noted.slice(-MAX_CANNOT_START) })
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

async function failTask(tx: Tx, task: Task, why: Failure, charge = true): Promise<void> {
  const ended = await settleTask(tx, task, { status: 'failed', failure: why, charge })
  tx.emit(task.userId, 'task.failed', { ...taskEvent(ended), failure: why, costMinor: ended.costMinor })
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
        and t.status in ('pending', 'running')
      where t.id is null`)),
  ]
}

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
  for (const task of final) {
    const params = { ...why.params, attempt: task.lostAttempts + 1, attempts: MAX_LOST_ATTEMPTS }
    await failTask(tx, task, { code: why.code, params }, false)
    tellLost(tx, task)
  }
  await requeue(tx, requeued, why)
}

/** Puts tasks that the caller has locked back into the queue and tells their nodes to stop. */
async function requeue(tx: Tx, held: Task[], why: Failure): Promise<void> {
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

/**
 * Takes back assignments that nodes did not answer.
 *
 * @param ages how long assignments have waited, kept from one call to the next
 * @param patience how many seconds this node may take, {@link ACCEPT_SECONDS} or more
 */
export async function expireAssignments(
  ctx: Context,
  ages: Ages,
  patience: (nodeId: number) => number,
): Promise<void> {
  const unanswered = and(eq(tasks.status, 'pending'), isNotNull(tasks.nodeId))
  const attempts = await lookAtAttempts(ctx, ages, unanswered, tasks.leasedAt)
  const late = attempts.filter(({ ageMs, nodeId }) => ageMs > patience(nodeId!) * 1000)
  await sweepAll(ctx, late, async (tx, some) => {
    // Read again under the lock, because the node may have answered meanwhile.
    const lost = await lockAttempts(tx, some, unanswered)
    await loseAttempts(tx, lost, failure('node_silent'))
  })
}

const EXPIRE_BATCH = 100

/**
 * Fails tasks that have run for longer than the system configuration allows.
 *
 * @param ages how long attempts have run, kept from one call to the next
 */
export async function expireRunning(ctx: Context, ages: Ages): Promise<void> {
  const { defaultTaskTimeout: seconds } = await systemConfig(ctx)
  const isRunning = and(eq(tasks.kind, 'gpu'), eq(tasks.status, 'running'))
  const running = await lookAtAttempts(ctx, ages, isRunning, tasks.attemptStartedAt)
  const overdue = running.filter(({ ageMs }) => ageMs > seconds * 1000).slice(0, EXPIRE_BATCH)
  await sweepAll(ctx, overdue, async (tx, some) => {
    const late = await lockAttempts(tx, some, isRunning)
    for (const task of late) {
      await failTask(tx, task, failure('time_limit', { seconds }))
      tellNode(tx, task)
    }
  })
}

type SeenAttempt = Pick<Task, 'id' | 'attempt' | 'nodeId'>

/** The matching attempts, with their age on the monotonic clock. The stored time of their beginning is a wall clock's. */
async function lookAtAttempts(
  ctx: Context,
  ages: Ages,
  which: SQL | undefined,
  began: typeof tasks.leasedAt | typeof tasks.attemptStartedAt,
): Promise<(SeenAttempt & { ageMs: number })[]> {
  const at = performance.now()
  const seconds = sql<number | null>`extract(epoch from now() - ${began})::float8`
  const rows = await ctx.db
    .select({ id: tasks.id, attempt: tasks.attempt, nodeId: tasks.nodeId, seconds })
    .from(tasks)
    .where(which)
  const keyOf = ({ id, attempt }: SeenAttempt) => `${id}:${attempt}`
  ages.look(
    rows.map((row) => ({ key: keyOf(row), seconds: row.seconds })),
    at,
  )
  return rows.map((row) => ({ ...row, ageMs: ages.of(keyOf(row))! }))
}

/** Locks those of these attempts that still match `which`. */
async function lockAttempts(tx: Tx, seen: SeenAttempt[], which: SQL | undefined): Promise<Task[]> {
  const attempts = new Map(seen.map(({ id, attempt }) => [id, attempt]))
  const rows = await tx.db
    .select()
    .from(tasks)
    .where(and(inArray(tasks.id, [...attempts.keys()]), which))
    .orderBy(tasks.id)
    .for('update')
  return rows.filter(({ id, attempt }) => attempts.get(id) === attempt)
}
