import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { trimSessions } from './sessions.ts'

const trimSessionsSchedule = defineSchedule({
  id: 'trim_sessions',
  name: 'trim_ended_sessions',
  pattern: '27 * * * *',
  run: (ctx: Context) => trimSessions(ctx),
})

export const accountsJobs = { schedules: [trimSessionsSchedule] }
