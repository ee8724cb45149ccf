import { defineJob, defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { mailHandle } from '../mail/job-handle.ts'
import { trimCodes } from './codes.ts'
import { deliverMail } from './deliver.ts'

/** For mails that a server without SMTP_URL keeps as files. */
const KEEP_MAILS_DAYS = 30
const DAY_MS = 24 * 3_600_000

const mailJob = defineJob({
  ...mailHandle,
  concurrency: 2,
  run: (ctx: Context, letter) => deliverMail(ctx, letter),
})

const trimCodesSchedule = defineSchedule({
  id: 'trim_codes',
  name: 'trim_expired_codes',
  pattern: '47 * * * *',
  run: async (ctx: Context) => ({
    requests: await trimCodes(ctx),
    mails: await ctx.mailer.removeOlder(new Date(Date.now() - KEEP_MAILS_DAYS * DAY_MS)),
  }),
})

export const verificationJobs = { jobs: [mailJob], schedules: [trimCodesSchedule] }
