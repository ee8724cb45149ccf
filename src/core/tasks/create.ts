import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { rowReader } from '../../db/row-reader.ts'
import { tasks } from '../../db/schema/index.ts'
import { type EventColumns, eventColumns, eventOf, newId, withEvent } from '../channel/log.ts'
import { type Context, isTx, type Tx } from '../context.ts'
import { estimatedCost, holdFor } from '../money/ledger.ts'
import { postTransfers, tellOwner } from '../money/transfers.ts'
import { systemConfig } from '../system/settings.ts'
import { singleStatement, transaction } from '../transaction.ts'
import { taskEvent } from './events.ts'
import { queueHint } from './hints.ts'
import { typesInstead, waitingFor } from './placement.ts'
import { figuresAt } from './progress.ts'
import type { TaskDetail } from './tasks.ts'
import { assertRoom, unfinishedOf } from './unfinished.ts'

interface CommonInput {
  title: string
  description?: string | undefined
  priority?: number | undefined
  estimatedMinutes?: number | undefined
}
export type NewTask = CommonInput &
  (
    | { kind: 'gpu'; taskType: string; config?: Record<string, unknown> | undefined }
    | { kind: 'study'; courseIds: string[] }
  )

/**
 * Creates a task: a GPU task is in the queue with its commit, a study task waits to be started.
 * @throws AppError TASK_LIMIT_EXCEEDED, INSUFFICIENT_BALANCE
 */
export async function createTask(ctx: Context | Tx, userId: number, input: NewTask): Promise<TaskDetail> {
  const config = await systemConfig(ctx)
  const price = input.kind === 'gpu' ? priceOf(input.taskType, config.taskPrices) : 0
  const heldMinor = estimatedCost(price, input.estimatedMinutes ?? null)
  const limit = config.maxConcurrentTasksPerUser
  const uuid = Bun.randomUUIDv7()
  const values = {
    userId,
    limit,
    heldMinor,
    uuid,
    kind: input.kind,
    title: input.title,
    description: input.description ?? '',
    priority: input.priority ?? 0,
    estimatedMinutes: input.estimatedMinutes ?? null,
    price,
    taskType: input.kind === 'gpu' ? input.taskType : null,
    config: JSON.stringify((input.kind === 'gpu' && input.config) || {}),
    courseIds: input.kind === 'study' ? JSON.stringify(input.courseIds) : null,
  }
  const isAlone = heldMinor === 0 && !isTx(ctx)
  return isAlone ? insertAlone(ctx, values) : insertWithHold(ctx, values)
}

interface Values extends Record<string, unknown> {
  userId: number
  limit: number
  heldMinor: number
  uuid: string
  kind: 'gpu' | 'study'
  title: string
}

/** A task without a hold, as nearly all are, takes one statement. */
async function insertAlone(ctx: Context, values: Values): Promise<TaskDetail> {
  const { userId, uuid, title } = values
  // The values of a new row; the database gives it the same ones by default.
  const created = { uuid, id: newId, status: 'pending', progress: 0, title, attempt: 0 } as const
  const data = JSON.stringify(ctx.presentEvent('task.created', created))
  const task = await singleStatement(ctx, async (db) => {
    const [row] = await insertTask(db).execute({ ...values, event: data })
    const event = row && eventOf(row, { userId, type: 'task.created' })
    return { result: readInserted(row, values), event }
  })
  if (values.kind === 'gpu') ctx.bus.publish(queueHint, null)
  return task
}

const insertWithHold = (ctx: Context | Tx, values: Values): Promise<TaskDetail> =>
  transaction(ctx, async (tx) => {
    const { userId, uuid, heldMinor } = values
    const holds = heldMinor > 0 ? [holdFor({ uuid, submission: 1 }, heldMinor)] : []
    // Sent at once, as one round trip.
    const [inserted, held] = await Promise.allSettled([
      insertTaskInTx(tx.db).execute(values),
      holds.length > 0 ? postTransfers(tx.db, userId, holds) : undefined,
    ])
    const [row] = fulfilled(inserted)
    const task = readInserted(row, values)
    const posted = fulfilled(held)
    tx.emit(userId, 'task.created', taskEvent(task))
    if (posted) tellOwner(tx, userId, posted)
    if (values.kind === 'gpu') tx.afterCommit(() => tx.bus.publish(queueHint, null))
    return task
  })

function fulfilled<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

/** @throws AppError TASK_LIMIT_EXCEEDED when no row was inserted */
function readInserted(row: InsertedRow | undefined, { userId, limit }: Values): TaskDetail {
  assertRoom(row?.others ?? 0, limit)
  if (!row?.uuid) throw new Error(`User ${userId} does not exist`)
  const task = readTask(row)
  return {
    ...task,
    figures: figuresAt(task),
    nodeUuid: null,
    logs: [],
    waitingFor: waitingFor(task, row.instead),
  }
}

/** A task type may have the name of a property that every object has, such as `constructor`. */
const priceOf = (taskType: string, prices: Record<string, number>): number =>
  Object.hasOwn(prices, taskType) ? prices[taskType]! : 0

const value = sql.placeholder

interface InsertedRow extends Record<string, unknown> {
  /** Unfinished tasks that the user had before. */
  others: number
  instead: string[] | null
}

/**
 * One statement: requests that create tasks of one user wait for each other at the user's row, so that counting and adding are
 * one step.
 */
const newTask = sql`
    with owner as (
      select id from users where id = ${value('userId')} for no key update
    ), room as materialized (
      select id, others, others < ${value('limit')} as enough
      from (select *, ${unfinishedOf(sql`id`)} as others from owner) o
    ), task as (
      insert into tasks (user_id, held_minor, uuid, kind, title, description, priority, estimated_minutes,
        price_minor_per_minute, task_type, config, course_ids)
      select id, ${value('heldMinor')}, ${value('uuid')}, ${value('kind')}, ${value('title')}, ${value('description')},
        ${value('priority')}, ${value('estimatedMinutes')}, ${value('price')}, ${value('taskType')}, ${value('config')},
        ${value('courseIds')}
      from room where enough
      returning *
    )`
const lack = sql`${typesInstead(sql`task.task_type`)} as instead`
const insertTask = preparedSql<InsertedRow & EventColumns>(
  'insert_task',
  sql`${newTask}, ${withEvent('task', sql`'task.created'`, value('event'))}
    select room.others, task.*, ${lack}, ${eventColumns}
    from room left join task on true left join event on true`,
)
const insertTaskInTx = preparedSql<InsertedRow>(
  'insert_task_in_tx',
  sql`${newTask} select room.others, task.*, ${lack} from room left join task on true`,
)
const readTask = rowReader(tasks)
