import { defineJob, defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { purgeHandle } from './job-handles.ts'
import { purgeRecent, purgeUser } from './purge.ts'

const purgeJob = defineJob({
  ...purgeHandle,
  concurrency: 1,
  run: (ctx: Context, { userId }, { signal }) => purgeUser(ctx, userId, signal),
})

const purgeSchedule = defineSchedule({
  id: 'purge_deleted_users',
  name: 'delete_remains_of_deleted_users',
  pattern: '42 * * * *',
  run: (ctx: Context) => purgeRecent(ctx),
})

export const userDeletionJobs = { jobs: [purgeJob], schedules: [purgeSchedule] }
