import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { sendReminders } from './reminders.ts'

const remindersSchedule = defineSchedule({
  id: 'schedule_reminders',
  name: 'send_schedule_reminders',
  pattern: '*/10 * * * * *',
  run: (ctx: Context) => sendReminders(ctx),
})

export const agendaJobs = { schedules: [remindersSchedule] }
