/** The scheduled jobs, as administrators change them. */
import { type AuditedBy, audit } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'

/**
 * No server runs the job until it is resumed.
 * @throws AppError JOB_NOT_FOUND
 */
export const pauseSchedule = (ctx: Context, by: AuditedBy, id: string): Promise<void> =>
  transaction(ctx, async (tx) => {
    if (!(await ctx.scheduler.pause(id, tx.db))) throw unknownJob(id)
    audit(tx, by, { action: 'schedule.paused', target: id })
  })

/** @throws AppError JOB_NOT_FOUND */
export const resumeSchedule = (ctx: Context, by: AuditedBy, id: string): Promise<void> =>
  transaction(ctx, async (tx) => {
    if (!(await ctx.scheduler.resume(id, tx.db))) throw unknownJob(id)
    audit(tx, by, { action: 'schedule.resumed', target: id })
  })

const unknownJob = (id: string) => new AppError('JOB_NOT_FOUND', { params: { jobId: id } })
