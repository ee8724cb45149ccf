import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { rowReader } from '../../db/row-reader.ts'
import { tasks } from '../../db/schema/index.ts'
import { type EventColumns, eventColumns, eventOf, newId, withEvent } from '../channel/log.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { estimatedCost } from '../money/ledger.ts'
import { systemConfig } from '../system/settings.ts'
import { afterCommit, singleStatement } from '../transaction.ts'
import { queueHint } from './hints.ts'
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
export async function createTask(ctx: Context, userId: number, input: NewTask): Promise<TaskDetail> {
  const config = await systemConfig(ctx)
  const price = input.kind === 'gpu' ? priceOf(input.taskType, config.taskPrices) : 0
  const heldMinor = estimatedCost(price, input.estimatedMinutes ?? null)
  const limit = config.maxConcurrentTasksPerUser
  const uuid = Bun.randomUUIDv7()
  // The values of a new row; the database gives it the same ones by default.
  const created = { uuid, id: newId, status: 'pending', progress: 0, title: input.title, attempt: 0 } as const
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
    event: JSON.stringify(ctx.presentEvent('task.created', created)),
  }
  const task = await singleStatement(ctx, async (db) => {
    const [row] = await insertTask(db).execute(values)
    const event = row && eventOf(row, { userId, type: 'task.created' })
    if (!event) {
      assertRoom(row?.others ?? 0, limit)
      throw new AppError('INSUFFICIENT_BALANCE')
    }
    return { result: readTask(row), event }
  })
  if (input.kind === 'gpu') afterCommit(ctx, () => ctx.bus.publish(queueHint, null))
  return { ...task, nodeUuid: null, logs: [] }
}

/** A task type may have the name of a property that every object has, such as `constructor`. */
const priceOf = (taskType: string, prices: Record<string, number>): number =>
  Object.hasOwn(prices, taskType) ? prices[taskType]! : 0

const value = sql.placeholder

interface InsertedRow extends EventColumns, Record<string, unknown> {
  /** Unfinished tasks that the user had before. */
  others: number
}

/**
 * Everything in one statement: requests that create tasks of one user wait for each other at the user's row, so that
 * counting, holding and adding are one step.
 */
const insertTask = preparedSql<InsertedRow>(
  'insert_task',
  sql`
    with owner as (
      select id, balance_minor - held_minor as available, ${value('heldMinor')}::bigint as cost
      from users where id = ${value('userId')} for no key update
    ), room as materialized (
      select id, cost, others, others < ${value('limit')} and available >= cost as enough
      from (select *, ${unfinishedOf(sql`id`)} as others from owner) o
    ), hold as (
      update users set held_minor = held_minor + cost from room where users.id = room.id and enough and cost > 0
    ), task as (
      insert into tasks (user_id, held_minor, uuid, kind, title, description, priority, estimated_minutes,
        price_minor_per_minute, task_type, config, course_ids)
      select id, cost, ${value('uuid')}, ${value('kind')}, ${value('title')}, ${value('description')}, ${value('priority')},
        ${value('estimatedMinutes')}, ${value('price')}, ${value('taskType')}, ${value('config')}, ${value('courseIds')}
      from room where enough
      returning *
    ), ${withEvent('task', sql`'task.created'`, value('event'))}
    select room.others, task.*, ${eventColumns}
    from room left join task on true left join event on true`,
)
const readTask = rowReader(tasks)
