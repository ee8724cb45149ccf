/** Tells the outside provider how far its learners have come: docs/course-provider.md. */
import { sql } from 'drizzle-orm'
import { atMost } from '../../util/at-most.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { ask, Nothing } from './outside-calls.ts'
import { OUTSIDE } from './progress.ts'
import { courseAccountsOf } from './settings.ts'

/** Courses of learners that one run reports, the oldest first. */
const BATCH = 200
const AT_ONCE = 4
/** An item that was played until just now is reported with what follows. */
const AFTER = '5 seconds'

interface Unreported {
  userId: number
  courseId: string
  items: { id: string; position: number; done: boolean }[]
}

/**
 * Reports what is new. A provider that does not answer is asked again by the next run; what it refuses is not sent again.
 * @param signal leaves the rest to the next run
 * @returns how many courses of learners were reported
 */
export async function reportProgress(ctx: Context, signal?: AbortSignal): Promise<number> {
  if (!ctx.config.courseProviderUrl) return 0
  const due = await unreported(ctx)
  const accounts = await courseAccountsOf(ctx, new Set(due.map(({ userId }) => userId)))
  let count = 0
  let isAway = false
  const report = async (one: Unreported) => {
    if (isAway || signal?.aborted) return
    const account = accounts.get(one.userId)
    try {
      const content = { courseId: one.courseId.slice(OUTSIDE.length), items: one.items }
      if (account) {
        await ask(ctx, 'progress', account, content, Nothing)
        count++
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'COURSE_PROVIDER_UNAVAILABLE') {
        isAway = true
        return
      }
    }
    await setReported(ctx, one)
  }
  const turn = atMost(AT_ONCE)
  await Promise.all(due.map((one) => turn(() => report(one))))
  return count
}

async function unreported({ db }: Context): Promise<Unreported[]> {
  const rows = await db.execute(sql`
    select user_id as "userId", course_id as "courseId",
      json_agg(json_build_object('id', item_id, 'position', position, 'done', is_done) order by item_id) as items
    from course_progress where not is_reported and updated_at < now() - ${AFTER}::interval
    group by user_id, course_id order by min(updated_at) limit ${BATCH}`)
  return rows as unknown as Unreported[]
}

/** Those rows that have not changed since they were read. */
async function setReported({ db }: Context, { userId, courseId, items }: Unreported): Promise<void> {
  await db.execute(sql`
    update course_progress p set is_reported = true
    from json_to_recordset(${JSON.stringify(items)}::text::json) as r(id text, position float8, done boolean)
    where p.user_id = ${userId} and p.course_id = ${courseId} and p.item_id = r.id
      and p.position = r.position and p.is_done = r.done`)
}
