import { inArray, sql } from 'drizzle-orm'
import type { Db } from './client.ts'
import { scheduledJobs } from './schema/index.ts'

/**
 * Takes the run of a job that the schedule has at `at`: true on exactly one of the servers that try, and on none while
 * the job is paused. Clocks may differ: an early server takes the run, and a late one finds it taken. A run more than
 * half an hour ahead is the trace of a clock that was wrong, and stops nobody.
 *
 * @param setBack this server's clock has been set back: any other run than this one is then of no account
 */
export async function claimRun(db: Db, id: string, at: Date, setBack = false): Promise<boolean> {
  const { paused, lastRunAt } = scheduledJobs
  const isNext = setBack
    ? sql`${lastRunAt} <> excluded.last_run_at`
    : sql`${lastRunAt} < excluded.last_run_at`
  const claimed = await db
    .insert(scheduledJobs)
    .values({ id, lastRunAt: at })
    .onConflictDoUpdate({
      target: scheduledJobs.id,
      set: { lastRunAt: at },
      setWhere: sql`not ${paused} and (${lastRunAt} is null or ${isNext} or ${lastRunAt} > now() + interval '30 minutes')`,
    })
    .returning({ id: scheduledJobs.id })
  return claimed.length > 0
}

export async function setPaused(db: Db, id: string, paused: boolean): Promise<void> {
  await db
    .insert(scheduledJobs)
    .values({ id, paused })
    .onConflictDoUpdate({ target: scheduledJobs.id, set: { paused } })
}

export async function readSchedule(
  db: Db,
  ids: string[],
): Promise<Map<string, { paused: boolean; lastRunAt: Date | null }>> {
  const rows = await db.select().from(scheduledJobs).where(inArray(scheduledJobs.id, ids))
  return new Map(rows.map(({ id, ...row }) => [id, row]))
}
