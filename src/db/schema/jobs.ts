import { boolean, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** What the servers share about scheduled jobs; a job that has neither run nor been paused has no row. */
export const scheduledJobs = pgTable('scheduled_jobs', {
  id: text('id').primaryKey(),
  paused: boolean('paused').notNull().default(false),
  /** The instant of the newest run, as the schedule has it: the server that moves it forward runs the job. */
  lastRunAt: instant('last_run_at'),
})
