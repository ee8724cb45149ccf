import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { limitBacklogs, trimDeliveries } from './cleanup.ts'

const trimSchedule = defineSchedule({
  id: 'trim_webhook_deliveries',
  name: 'trim_webhook_deliveries',
  pattern: '42 * * * *',
  run: (ctx: Context) => trimDeliveries(ctx),
})

const backlogSchedule = defineSchedule({
  id: 'limit_webhook_backlogs',
  name: 'limit_webhook_backlogs',
  pattern: '*/5 * * * *',
  run: (ctx: Context) => limitBacklogs(ctx),
})

export const webhookJobs = { schedules: [trimSchedule, backlogSchedule] }
