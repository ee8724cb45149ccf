import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { reportProgress } from './reports.ts'

const reportSchedule = defineSchedule({
  id: 'report_progress',
  name: 'report_progress_to_course_provider',
  pattern: ({ config }: Context) => (config.courseProviderUrl ? '* * * * *' : undefined),
  run: async (ctx: Context, signal) => (await reportProgress(ctx, signal)) || undefined,
})

export const coursesJobs = { schedules: [reportSchedule] }
