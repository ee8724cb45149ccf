import { sql } from 'drizzle-orm'
import {
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  serial,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, minor, snakeJson } from './columns.ts'
import { nodes } from './nodes.ts'

export const TASK_KINDS = ['gpu', 'study'] as const
export const TASK_STATUSES = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const

export const tasks = pgTable(
  'tasks',
  {
    id: serial('id').primaryKey(),
    uuid: uuid('uuid').notNull().unique(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: TASK_KINDS }).notNull(),
    title: text('title').notNull(),
    description: text('description').notNull().default(''),
    /** GPU tasks only. */
    taskType: text('task_type'),
    // json, not jsonb, because numbers must come back as they were written.
    config: json('config').$type<Record<string, unknown>>().notNull().default({}),
    /** Study tasks only. */
    courseIds: jsonb('course_ids').$type<string[]>(),
    priority: integer('priority').notNull().default(0),
    estimatedMinutes: integer('estimated_minutes'),

    status: text('status', { enum: TASK_STATUSES }).notNull().default('pending'),
    progress: doublePrecision('progress').notNull().default(0),
    currentItem: text('current_item').notNull().default(''),
    result: json('result').$type<Record<string, unknown>>().notNull().default({}),
    /** In English. When the server knows more than what a node said, `failureCode` and `failureParams` say it. */
    errorMessage: text('error_message'),
    failureCode: text('failure_code'),
    failureParams: snakeJson<Record<string, string | number>>('failure_params', 'json'),

    /** The node that holds the task, or that held it when it ended. Null: in the queue. */
    nodeId: integer('node_id').references(() => nodes.id, { onDelete: 'set null' }),
    /** Which try of the owner this is: creating the task is the first, each retry one more. Keys of transfers name it. */
    submission: integer('submission').notNull().default(1),
    /** When its owner was told that no node offers its type; null while one does. */
    unplaceableAt: instant('unplaceable_at'),
    /** Grows with every lease; every write of a node or runner names it. */
    attempt: integer('attempt').notNull().default(0),
    /** Leases that ended because the node was lost; the third fails the task. */
    lostAttempts: integer('lost_attempts').notNull().default(0),
    /** Nodes that lost an attempt of this task. A retry prefers other nodes. */
    lostBy: jsonb('lost_by').$type<number[]>().notNull().default([]),
    leasedAt: instant('leased_at'),
    /** When the current attempt began to run. */
    attemptStartedAt: instant('attempt_started_at'),

    priceMinorPerMinute: minor('price_minor_per_minute').notNull().default(0),
    /** The part of the owner's balance that is held until the task ends. */
    heldMinor: minor('held_minor').notNull().default(0),
    costMinor: minor('cost_minor').notNull().default(0),

    startedAt: instant('started_at'),
    completedAt: instant('completed_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('tasks_user_idx').on(t.userId, t.id),
    index('tasks_user_status_idx').on(t.userId, t.status),
    // The dispatcher's queue: highest priority first, then oldest.
    index('tasks_queue_idx')
      .on(t.taskType, t.priority.desc(), t.id)
      .where(sql`${t.status} = 'pending' and ${t.nodeId} is null and ${t.kind} = 'gpu'`),
    // For administrators: few of many tasks have not ended. `counts` has the number of the others.
    index('tasks_unfinished_idx')
      .on(t.status, t.kind, t.id)
      .where(sql`${t.status} in ('pending', 'running', 'paused')`),
    // Waiting tasks whose owners do not know yet whether a node offers their type, and those whose owners know that none does.
    index('tasks_untold_idx')
      .on(t.taskType)
      .where(
        sql`${t.status} = 'pending' and ${t.nodeId} is null and ${t.kind} = 'gpu' and ${t.unplaceableAt} is null`,
      ),
    index('tasks_unplaceable_idx').on(t.taskType).where(sql`${t.unplaceableAt} is not null`),
    index('tasks_leased_idx').on(t.nodeId).where(sql`${t.status} in ('pending', 'running')`),
  ],
)

export const taskLogs = pgTable(
  'task_logs',
  {
    id: serial('id').primaryKey(),
    taskId: integer('task_id')
      .notNull()
      .references(() => tasks.id, { onDelete: 'cascade' }),
    attempt: integer('attempt').notNull(),
    level: text('level').notNull(),
    /** What a node wrote, or the server in English. The server's own lines have a code and its parameters too. */
    message: text('message').notNull(),
    code: text('code'),
    params: snakeJson<Record<string, string | number>>('params', 'json'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    index('task_logs_task_idx').on(t.taskId, t.id),
    // Lines lie in the order of time, so the smallest kind of index finds a day.
    index('task_logs_created_idx').using('brin', t.createdAt),
  ],
)
