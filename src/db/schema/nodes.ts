import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  serial,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { instant, snakeJson } from './columns.ts'

/** The newest figures of one GPU. Memory in GB, usage in percent, temperature in °C, power in W. */
export interface GpuReading {
  gpuId: number
  name?: string
  usage: number
  memoryUsed: number
  memoryTotal: number
  temperature?: number
  power?: number
}

/** A task type whose program a node could not start. */
export interface CannotStart {
  taskType: string
  /** The node's text. */
  message: string
  /** RFC 3339, by the database's clock. */
  at: string
}

/** Numbers the sockets of nodes, so that the newest one of a node is known to every server. */
export const nodeSockets = pgSequence('node_sockets')

export const nodes = pgTable(
  'nodes',
  {
    id: serial('id').primaryKey(),
    uuid: uuid('uuid').notNull().unique(),
    name: text('name').notNull(),
    /** `foldCase` of the name; null until a server has filled it (`core/nodes/name-keys.ts`). */
    nameKey: text('name_key'),
    host: text('host').notNull(),
    tokenHash: text('token_hash').notNull().unique(),
    maxConcurrentTasks: integer('max_concurrent_tasks').notNull(),
    draining: boolean('draining').notNull().default(false),
    /** Whether the node is reachable. It is not after three missing heartbeats. */
    online: boolean('online').notNull().default(false),
    taskTypes: jsonb('task_types').$type<string[]>().notNull().default([]),
    gpus: snakeJson<GpuReading[]>('gpus', 'jsonb').notNull().default([]),
    cpuUsage: doublePrecision('cpu_usage').notNull().default(0),
    memoryUsage: doublePrecision('memory_usage').notNull().default(0),
    /** Stored in batches; the exact current state is in memory. */
    lastHeartbeatAt: instant('last_heartbeat_at'),
    /** The same, but only for messages over a socket: a node without a socket holds no task. */
    socketHeardAt: instant('socket_heard_at'),
    /** Number of the socket whose `hello` was accepted last. Messages of older sockets change nothing. */
    socket: bigint('socket', { mode: 'number' }).notNull().default(0),
    cannotStart: snakeJson<CannotStart[]>('cannot_start', 'jsonb').notNull().default([]),
    /** Grows with every change by an administrator. Not a time, because clocks may be set back. */
    revision: integer('revision').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
    deletedAt: instant('deleted_at'),
  },
  (t) => [uniqueIndex('nodes_name_key_idx').on(t.nameKey).where(sql`${t.deletedAt} is null`)],
)
