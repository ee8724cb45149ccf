import { sql } from 'drizzle-orm'
import { bigserial, index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.ts'

/** Whether a row has a line that is not INFO. A query that wants the partial index repeats the condition. */
export const hasOtherLines = sql`debug_lines + warning_lines + error_lines + critical_lines > 0`

/**
 * The application's log. A row holds the lines of one server in one second, because a row for each line would cost a request
 * too much. The table is partitioned by the day of `at` in UTC (migration 0015): servers add partitions when they need them, and
 * drop those that are too old.
 */
export const systemLogs = pgTable(
  'system_logs',
  {
    id: bigserial('id', { mode: 'number' }).notNull(),
    /** Of the newest line. All lines are of this day. */
    at: instant('at').notNull(),
    /** Host name and process id. */
    server: text('server').notNull(),
    /** How many lines it has of each level. */
    debugLines: integer('debug_lines').notNull(),
    infoLines: integer('info_lines').notNull(),
    warningLines: integer('warning_lines').notNull(),
    errorLines: integer('error_lines').notNull(),
    criticalLines: integer('critical_lines').notNull(),
    /** The lines, oldest first: JSON objects with a line feed behind each, compressed with zstd. */
    body: bytes('body').notNull(),
  },
  (t) => [
    index('system_logs_at_idx').on(t.at, t.id),
    // Most lines are INFO. With this index a search for another level reads only rows that may have such lines.
    index('system_logs_other_idx').on(t.at, t.id).where(hasOtherLines),
  ],
)
