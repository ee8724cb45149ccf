import { bigserial, jsonb, pgTable, smallint, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/**
 * The application's log, partitioned by the day of `at` in UTC (migration 0015). Servers add partitions when they need them, and drop
 * those that are too old.
 */
export const systemLogs = pgTable('system_logs', {
  id: bigserial('id', { mode: 'number' }).notNull(),
  at: instant('at').notNull(),
  /** pino's number: 20 debug, 30 info, 40 warning, 50 error, 60 critical. */
  level: smallint('level').notNull(),
  message: text('message').notNull(),
  /** The other fields of the line. */
  fields: jsonb('fields').$type<Record<string, unknown>>().notNull(),
})
