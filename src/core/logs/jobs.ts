import { sql } from 'drizzle-orm'
import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { dayAfter, dropPartitions } from './partitions.ts'

/**
 * Deletes the days of the system log that LOG_KEEP_DAYS no longer keeps.
 * @returns how many
 */
export async function trimSystemLog({ config, db }: Pick<Context, 'config' | 'db'>): Promise<number> {
  const [row] = await db.execute<{ today: string }>(
    sql`select (now() at time zone 'UTC')::date::text as today`,
  )
  return dropPartitions(db, dayAfter(row!.today, -config.logKeepDays))
}

const trimSystemLogSchedule = defineSchedule({
  id: 'trim_system_log',
  name: 'trim_system_log',
  pattern: '11 0 * * *',
  run: async (ctx: Context) => ({ days: await trimSystemLog(ctx) }),
})

export const logsJobs = { schedules: [trimSystemLogSchedule] }
