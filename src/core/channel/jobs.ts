import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { trimEvents } from './log.ts'

const trimEventsSchedule = defineSchedule({
  id: 'trim_events',
  name: 'trim_channel_events',
  pattern: '17 * * * *',
  run: (ctx: Context) => trimEvents(ctx),
})

export const channelJobs = { schedules: [trimEventsSchedule] }
