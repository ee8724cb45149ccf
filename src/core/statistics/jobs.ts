import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { foldCounts } from './counts.ts'

const foldCountsSchedule = defineSchedule({
  id: 'fold_counts',
  name: 'fold_changes_of_counts',
  pattern: '* * * * *',
  run: (ctx: Context) => foldCounts(ctx),
})

export const statisticsJobs = { schedules: [foldCountsSchedule] }
