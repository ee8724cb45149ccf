import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { expireSessions } from './expiry.ts'

const expireUploadsSchedule = defineSchedule({
  id: 'expire_uploads_job',
  name: 'delete_unfinished_uploads',
  pattern: '10 * * * *',
  run: (ctx: Context) => expireSessions(ctx),
})

export const filesJobs = { schedules: [expireUploadsSchedule] }
