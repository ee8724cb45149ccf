import { boolean, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** State of scheduled jobs that the servers share. A job that has neither run nor been paused has no row. */
export const scheduledJobs = pgTable('scheduled_jobs', {
  id: text('id').primaryKey(),
  paused: boolean('paused').notNull().default(false),
  /** The scheduled instant of the newest run. The server that moves it forward runs the job. */
  lastRunAt: instant('last_run_at'),
})
