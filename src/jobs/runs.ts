import { inArray, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { scheduledJobs } from '../db/schema/index.ts'

/**
 * Claims the run that is due at `at`: true on exactly one of the servers that try, and on none while the schedule is
 * paused. Clocks may differ: a server whose clock is fast claims the run, and a slower one finds it claimed. A last run
 * more than half an hour ahead was claimed by a wrong clock, so it does not prevent this one.
 *
 * @param setBack this server's clock has been set back: a last run that is not this one does not prevent it
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
