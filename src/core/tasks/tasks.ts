import { and, asc, count, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { prepared } from '../../db/prepared.ts'
import { nodes, taskLogs, tasks } from '../../db/schema/index.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import { camelKeys } from '../../util/case.ts'
import { readId } from '../../util/ids.ts'
import { ownerExists } from '../accounts/owners.ts'
import { isAdmin } from '../accounts/permissions.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { audit, auditForeign } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import type { Language } from '../messages.ts'
import { estimatedCost, hold, lockUser } from '../money/ledger.ts'
import { systemConfig } from '../system/settings.ts'
import { transaction } from '../transaction.ts'
import { taskEvent } from './events.ts'
import { type Failure, type FailureParams, failure, storedText } from './failures.ts'
import { nodeHint, queueHint } from './hints.ts'
import { typesInstead, type WaitingFor, waitingFor } from './placement.ts'
import { type TaskFigures, taskTopic, withFigures } from './progress.ts'
import type { Task } from './rows.ts'
import { settleTask } from './settlement.ts'
import type { TaskStatus } from './states.ts'
import { resetRun, storedRun } from './study-runs.ts'
import { assertRoom, countUnfinished } from './unfinished.ts'

export interface TaskLog {
  id: number
  level: string
  /** In English when the server wrote the line; `code` and `params` give the text in other languages. */
  message: string
  code: string | null
  params: FailureParams | null
  /** RFC 3339. */
  createdAt: string
}
/** A task with the UUID of its node and its current figures. */
export interface TaskView extends Task {
  nodeUuid: string | null
  figures: TaskFigures
}

/** With its newest log lines, oldest first. */
export interface TaskDetail extends TaskView {
  logs: TaskLog[]
  /** Not null while the task waits and no node offers its type. */
  waitingFor: WaitingFor | null
}

/** Number of log lines in the detail of a task. */
const DETAIL_LOGS = 100

/** Why a task failed, in the reader's language; null when it did not fail. */
export const errorText = (
  { errorMessage: text, failureCode: code, failureParams: params }: Task,
  language: Language,
): string | null => storedText({ text, code, params }, language)

/** The text of a log line in the reader's language. */
export const logText = (
  { message: text, code, params }: Pick<TaskLog, 'message' | 'code' | 'params'>,
  language: Language,
): string => storedText({ text, code, params }, language)!

/** The condition for the task with this id, which a path or a frame names. */
function taskKey(id: string | number): SQL {
  const key = readId(id)
  if (key === undefined) return sql`false`
  return typeof key === 'number' ? eq(tasks.id, key) : eq(tasks.uuid, key)
}

/** The tasks of a deleted user exist for nobody, although a job has yet to delete them. */
const ofExistingUser = ownerExists(tasks.userId)

/** Whether the user may see and change the task. For other users the task does not exist. */
export const mayAccess = (who: Principal, task: { userId: number }): boolean =>
  task.userId === who.userId || isAdmin(who.role)

const newestLogs = sql<TaskLog[]>`(
  select coalesce(json_agg(json_build_object('id', l.id, 'level', l.level, 'message', l.message,
    'code', l.code, 'params', l.params, 'createdAt', ${rfc3339(sql`l.created_at`)}) order by l.id), '[]')
  from (select * from ${taskLogs} where ${taskLogs.taskId} = ${tasks.id}
    order by ${taskLogs.id} desc limit ${DETAIL_LOGS}) l)`

const readLog = (line: TaskLog): TaskLog => ({ ...line, params: line.params && camelKeys(line.params) })

/** Looked up only for tasks that wait in the queue. */
const lackOfQueued = sql<string[] | null>`case when ${tasks.status} = 'pending' and ${tasks.nodeId} is null
  then ${typesInstead(sql`${tasks.taskType}`)} end`

const selectTask = (db: Db, where: SQL) =>
  db
    .select({ task: tasks, nodeUuid: nodes.uuid, run: storedRun, logs: newestLogs, instead: lackOfQueued })
    .from(tasks)
    .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(and(where, ofExistingUser))
const taskById = prepared((db) => selectTask(db, eq(tasks.id, sql.placeholder('key'))).prepare('task_by_id'))
const taskByUuid = prepared((db) =>
  selectTask(db, eq(tasks.uuid, sql.placeholder('key'))).prepare('task_by_uuid'),
)

/**
 * One query. The progress is the current one, also when it is not stored yet.
 * @throws AppError NOT_FOUND, also for another user's task
 */
export async function getTask(ctx: Context, who: Principal, id: string | number): Promise<TaskDetail> {
  const key = readId(id)
  if (key === undefined) throw notFound('task', id)
  const query = typeof key === 'number' ? taskById : taskByUuid
  const [row] = await query(ctx.db).execute({ key })
  if (!row || !mayAccess(who, row.task)) throw notFound('task', id)
  return {
    ...withFigures(ctx, row.task, row.run),
    nodeUuid: row.nodeUuid,
    logs: row.logs.map(readLog),
    waitingFor: waitingFor(row.task, row.instead),
  }
}

/**
 * Which task a user means, without its other fields.
 * @throws AppError NOT_FOUND, also for another user's task
 */
export async function accessibleTask(
  { db }: Pick<Context, 'db'>,
  who: Principal,
  id: string | number,
): Promise<Pick<Task, 'id' | 'uuid' | 'userId'>> {
  const { id: number, uuid, userId } = tasks
  const [task] = await db
    .select({ id: number, uuid, userId })
    .from(tasks)
    .where(and(taskKey(id), ofExistingUser))
  if (!task || !mayAccess(who, task)) throw notFound('task', id)
  return task
}

export interface TaskFilter {
  page: number
  pageSize: number
  status?: TaskStatus | undefined
  kind?: Task['kind'] | undefined
  taskType?: string | undefined
  sortBy: 'createdAt' | 'updatedAt' | 'priority'
  sortOrder: 'asc' | 'desc'
}

/** The user's own tasks. */
export async function listTasks(
  ctx: Context,
  userId: number,
  filter: TaskFilter,
): Promise<{ tasks: TaskView[]; total: number }> {
  const where = and(
    eq(tasks.userId, userId),
    filter.status && eq(tasks.status, filter.status),
    filter.kind && eq(tasks.kind, filter.kind),
    filter.taskType !== undefined ? eq(tasks.taskType, filter.taskType) : undefined,
  )
  const direction = filter.sortOrder === 'asc' ? asc : desc
  // Ids grow with the time of creation. They also make the other orders unique.
  const order = {
    createdAt: [direction(tasks.id)],
    updatedAt: [direction(tasks.updatedAt), direction(tasks.id)],
    priority: [direction(tasks.priority), direction(tasks.id)],
  }[filter.sortBy]
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(tasks).where(where),
    ctx.db
      .select({ task: tasks, nodeUuid: nodes.uuid, run: storedRun })
      .from(tasks)
      .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
      .where(where)
      .orderBy(...order)
      .limit(filter.pageSize)
      .offset((filter.page - 1) * filter.pageSize),
  ])
  return {
    tasks: rows.map(({ task, nodeUuid, run }) => ({ ...withFigures(ctx, task, run), nodeUuid })),
    total: total!.n,
  }
}

/** @throws AppError NOT_FOUND, INVALID_STATE when it has ended already */
export async function cancelTask(ctx: Context, who: Actor, id: string | number): Promise<TaskDetail> {
  await transaction(ctx, async (tx) => {
    const task = await lockTask(tx, who, id)
    await cancel(tx, task)
    auditForeign(tx, who, { action: 'task.cancelled', target: task.uuid, subject: task.userId })
  })
  return getTask(ctx, who, id)
}

/**
 * Cancels anybody's task. Its owner is told that an administrator did so, and the reason.
 * @throws AppError NOT_FOUND, INVALID_STATE when it has ended already
 */
export async function forceStopTask(
  ctx: Context,
  admin: Actor,
  id: string | number,
  reason: string | undefined,
): Promise<TaskDetail> {
  await transaction(ctx, async (tx) => {
    const task = await lockTask(tx, admin, id)
    await cancel(tx, task, failure('force_stopped', reason ? { reason } : {}))
    const details = { reason: reason ?? '' }
    audit(tx, admin, { action: 'task.force_stopped', target: task.uuid, subject: task.userId, details })
  })
  return getTask(ctx, admin, id)
}

async function cancel(tx: Tx, task: Task, why?: Failure): Promise<void> {
  const ended = await settleTask(tx, task, { status: 'cancelled', failure: why })
  tx.emit(task.userId, 'task.cancelled', { ...taskEvent(ended), costMinor: ended.costMinor, failure: why })
  tellNode(tx, task)
}

/**
 * Tells the node that holds the task, if there is one, to stop it. When the command is lost, the answer to the node's next
 * frame about the task tells the node.
 */
export function tellNode(tx: Tx, task: Task): void {
  const { nodeId, uuid, attempt } = task
  if (nodeId === null) return
  tx.afterCommit(() =>
    tx.bus.publish(nodeHint, { nodeId, command: { type: 'cancel', taskId: uuid, attempt } }),
  )
}

/**
 * Puts a failed or cancelled task back: a GPU task into the queue; a study task waits to be started.
 * @throws AppError NOT_FOUND, INVALID_STATE, TASK_LIMIT_EXCEEDED, INSUFFICIENT_BALANCE
 */
export async function retryTask(ctx: Context, who: Actor, id: string | number): Promise<TaskDetail> {
  const { maxConcurrentTasksPerUser: limit } = await systemConfig(ctx)
  await transaction(ctx, async (tx) => {
    const task = await lockTask(tx, who, id)
    // Narrower than the state machine: `running → pending` is for lost nodes only.
    if (task.status !== 'failed' && task.status !== 'cancelled') {
      throw new AppError('INVALID_STATE', { params: { status: task.status } })
    }
    await lockUser(tx, task.userId)
    assertRoom(await countUnfinished(tx, task.userId), limit)
    const heldMinor = estimatedCost(task.priceMinorPerMinute, task.estimatedMinutes)
    const submission = task.submission + 1
    await hold(tx, task.userId, { uuid: task.uuid, submission }, heldMinor)
    const [queued] = await tx.db
      .update(tasks)
      .set({
        status: 'pending',
        progress: 0,
        currentItem: '',
        result: {},
        errorMessage: null,
        failureCode: null,
        failureParams: null,
        nodeId: null,
        submission,
        lostAttempts: 0,
        leasedAt: null,
        attemptStartedAt: null,
        startedAt: null,
        completedAt: null,
        heldMinor,
        updatedAt: sql`now()`,
      })
      .where(eq(tasks.id, task.id))
      .returning()
    if (task.kind === 'study') await resetRun(tx, task.id)
    tx.emit(task.userId, 'task.requeued', { ...taskEvent(queued!), reason: 'retry' })
    auditForeign(tx, who, { action: 'task.retried', target: task.uuid, subject: task.userId })
    tx.afterCommit(() => {
      ctx.bus.setState(taskTopic(task.uuid), undefined)
      if (task.kind === 'gpu') ctx.bus.publish(queueHint, null)
    })
  })
  return getTask(ctx, who, id)
}

/** @throws AppError NOT_FOUND, INVALID_STATE while it runs */
export async function deleteTask(ctx: Context, who: Actor, id: string | number): Promise<Task> {
  return transaction(ctx, async (tx) => {
    const task = await lockTask(tx, who, id)
    if (task.status === 'running' || task.status === 'paused') {
      throw new AppError('INVALID_STATE', { params: { status: task.status } })
    }
    if (task.status === 'pending') await settleTask(tx, task, { status: 'cancelled' })
    await tx.db.delete(tasks).where(eq(tasks.id, task.id))
    tx.emit(task.userId, 'task.deleted', taskEvent(task))
    const details = { title: task.title }
    auditForeign(tx, who, { action: 'task.deleted', target: task.uuid, subject: task.userId, details })
    tellNode(tx, task)
    return task
  })
}

/** @throws AppError NOT_FOUND, also for another user's task */
export async function lockTask(tx: Tx, who: Principal, id: string | number): Promise<Task> {
  const [task] = await tx.db
    .select()
    .from(tasks)
    .where(and(taskKey(id), ofExistingUser))
    .for('update')
  if (!task || !mayAccess(who, task)) throw notFound('task', id)
  return task
}
