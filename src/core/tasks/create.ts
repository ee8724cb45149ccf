import { getTableColumns, sql } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import type { Db } from '../../db/client.ts'
import { prepared } from '../../db/prepared.ts'
import { tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { estimatedCost, lockAndHold } from '../money/ledger.ts'
import { systemConfig } from '../system/settings.ts'
import { transaction } from '../transaction.ts'
import { taskEvent } from './events.ts'
import { queueHint } from './hints.ts'
import type { TaskDetail } from './tasks.ts'
import { assertRoom, countUnfinished, unfinishedOf } from './unfinished.ts'

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
  const task = await transaction(ctx, async (tx) => {
    // Other requests that create tasks of the user wait for this row, so that counting and adding are one step.
    if (!(await lockAndHold(tx, userId, heldMinor))) {
      assertRoom(await countUnfinished(tx, userId), limit)
      throw new AppError('INSUFFICIENT_BALANCE')
    }
    const common = {
      uuid: Bun.randomUUIDv7(),
      userId,
      title: input.title,
      description: input.description ?? '',
      priority: input.priority ?? 0,
      estimatedMinutes: input.estimatedMinutes ?? null,
      price,
      heldMinor,
    }
    const [inserted] =
      input.kind === 'gpu'
        ? await insertGpuTask(tx.db).execute({
            ...common,
            taskType: input.taskType,
            config: input.config ?? {},
          })
        : await insertStudyTask(tx.db).execute({ ...common, courseIds: input.courseIds })
    const { others, ...task } = inserted!
    assertRoom(others, limit)
    tx.emit(userId, 'task.created', taskEvent(task))
    if (input.kind === 'gpu') tx.afterCommit(() => ctx.bus.publish(queueHint, null))
    return task
  })
  return { ...task, nodeUuid: null, logs: [] }
}

/** A task type may have the name of a property that every object has, such as `constructor`. */
const priceOf = (taskType: string, prices: Record<string, number>): number =>
  Object.hasOwn(prices, taskType) ? prices[taskType]! : 0

/** Columns of every new task; the row comes back with the number of the user's other unfinished tasks. */
const insertTask = (
  db: Db,
  ofKind: Pick<PgInsertValue<typeof tasks>, 'kind' | 'taskType' | 'config' | 'courseIds'>,
) =>
  db
    .insert(tasks)
    .values({
      uuid: sql.placeholder('uuid'),
      userId: sql.placeholder('userId'),
      title: sql.placeholder('title'),
      description: sql.placeholder('description'),
      priority: sql.placeholder('priority'),
      estimatedMinutes: sql.placeholder('estimatedMinutes'),
      priceMinorPerMinute: sql.placeholder('price'),
      heldMinor: sql.placeholder('heldMinor'),
      ...ofKind,
    })
    // The count in the same statement does not see the inserted row. It sees all others, because the statement begins
    // after the row of the user was locked.
    .returning({ ...getTableColumns(tasks), others: unfinishedOf(sql.placeholder('userId')) })

const insertGpuTask = prepared((db) =>
  insertTask(db, {
    kind: 'gpu',
    taskType: sql.placeholder('taskType'),
    config: sql.placeholder('config'),
  }).prepare('insert_gpu_task'),
)
const insertStudyTask = prepared((db) =>
  insertTask(db, { kind: 'study', courseIds: sql.placeholder('courseIds') }).prepare('insert_study_task'),
)
