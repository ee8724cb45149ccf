import { sql } from 'drizzle-orm'
import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'

const BATCH = 5000

/**
 * Deletes the entries that AUDIT_KEEP_DAYS no longer keeps.
 * @returns how many; undefined when the log is kept for good
 */
export async function trimAudit({ config, db }: Context): Promise<number | undefined> {
  if (config.auditKeepDays === 0) return undefined
  for (let total = 0; ; ) {
    const [row] = await db.execute<{ deleted: number }>(
      sql`select trim_audit_log(${config.auditKeepDays}::int, ${BATCH}::int) as deleted`,
    )
    total += row!.deleted
    if (row!.deleted < BATCH) return total
  }
}

const trimAuditSchedule = defineSchedule({
  id: 'trim_audit_log',
  name: 'trim_audit_log',
  pattern: '41 3 * * *',
  run: (ctx: Context) => trimAudit(ctx),
})

export const auditJobs = { schedules: [trimAuditSchedule] }
