import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { trimAnswers } from './answers.ts'

const trimAnswersSchedule = defineSchedule({
  id: 'trim_idempotency_keys',
  name: 'trim_idempotency_keys',
  pattern: '27 * * * *',
  run: (ctx: Context) => trimAnswers(ctx),
})

export const idempotencyJobs = { schedules: [trimAnswersSchedule] }
