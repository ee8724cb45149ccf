import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

export const agentSessions = pgTable(
  'agent_sessions',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text('title').notNull(),
    /** Number of the newest frame; grows over all runs of the session. */
    lastSeq: bigint('last_seq', { mode: 'number' }).notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [index('agent_sessions_user_idx').on(t.userId, t.updatedAt.desc())],
)

/** One answer of the agent. It belongs to the server that renews `heartbeatAt`, not to a connection. */
export const agentRuns = pgTable(
  'agent_runs',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => agentSessions.id, { onDelete: 'cascade' }),
    status: text('status', { enum: ['running', 'completed', 'failed', 'cancelled'] }).notNull(),
    /** An error code, when the status is `failed`. */
    error: text('error'),
    firstSeq: bigint('first_seq', { mode: 'number' }).notNull(),
    /** The language of the server's own texts in it. */
    language: text('language', { enum: ['zh', 'en'] })
      .notNull()
      .default('en'),
    /** Any server sets it; the server that runs the answer polls it. */
    cancelRequestedAt: instant('cancel_requested_at'),
    heartbeatAt: instant('heartbeat_at').notNull().defaultNow(),
    startedAt: instant('started_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
  },
  (t) => [
    // One run of a session at a time.
    uniqueIndex('agent_runs_running_key').on(t.sessionId).where(sql`${t.status} = 'running'`),
    index('agent_runs_session_idx').on(t.sessionId, t.startedAt),
    index('agent_runs_heartbeat_idx').on(t.heartbeatAt).where(sql`${t.status} = 'running'`),
  ],
)

/** A tool call of a message, as the model wrote it. */
export interface StoredToolCall {
  id: string
  name: string
  input: unknown
}

export const agentMessages = pgTable(
  'agent_messages',
  {
    position: bigserial('position', { mode: 'number' }).primaryKey(),
    id: uuid('id').notNull().unique(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => agentSessions.id, { onDelete: 'cascade' }),
    runId: uuid('run_id').notNull(),
    role: text('role', { enum: ['user', 'assistant', 'tool'] }).notNull(),
    content: text('content').notNull(),
    toolCalls: jsonb('tool_calls').$type<StoredToolCall[]>(),
    /** The id that a client of AG-UI gave the user's message. */
    clientId: text('client_id'),
    /** Only for a tool's result. */
    toolCallId: text('tool_call_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('agent_messages_session_idx').on(t.sessionId, t.position)],
)

/** The events of runs as they were sent, for readers who connect late or reconnect. */
export const agentFrames = pgTable(
  'agent_frames',
  {
    sessionId: uuid('session_id')
      .notNull()
      .references(() => agentSessions.id, { onDelete: 'cascade' }),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    runId: uuid('run_id').notNull(),
    // json, not jsonb, because the text is sent as it was written.
    event: json('event').notNull(),
    at: instant('at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.seq] }), index('agent_frames_at_idx').on(t.at)],
)

/** A change that a tool wants to make and that waits for the user's confirmation. */
export const agentConfirmations = pgTable('agent_confirmations', {
  sessionId: uuid('session_id')
    .primaryKey()
    .references(() => agentSessions.id, { onDelete: 'cascade' }),
  toolCallId: text('tool_call_id').notNull(),
  tool: text('tool').notNull(),
  input: jsonb('input').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
})
