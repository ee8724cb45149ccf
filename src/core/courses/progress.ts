import { and, eq, inArray, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { courseProgress, type ProviderName } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

/** How far a learner has come in an item. */
export interface ItemProgress {
  provider: ProviderName
  userId: number
  courseId: string
  itemId: string
  /** Seconds of the item. */
  position: number
  /** Whether the learner has come to its end. */
  isDone: boolean
}

/** Before the ids of the outside provider's courses, so that none of them is taken for one of the built-in provider. */
export const OUTSIDE = 'outside:'

/** The provider that the server is configured to use. */
export const presentProvider = ({ config }: Pick<Context, 'config'>): ProviderName =>
  config.courseProviderUrl ? 'outside' : 'built_in'

const prefixOf = (provider: ProviderName): string => (provider === 'outside' ? OUTSIDE : '')

/** Rows are locked in one order, so that two servers that write the same rows do not wait for each other in a circle. */
const advance = preparedSql(
  'advance_progress',
  sql`
    insert into course_progress as present (user_id, course_id, item_id, position, is_done, is_reported)
    select r."userId", r."courseId", r."itemId", max(r.position), bool_or(r."isDone"), r."isReported"
    from json_to_recordset(${sql.placeholder('rows')}::text::json)
      as r("userId" int, "courseId" text, "itemId" text, position float8, "isDone" boolean, "isReported" boolean)
    join users on users.id = r."userId" and users.deleted_at is null
    group by 1, 2, 3, r."isReported" order by 1, 2, 3
    on conflict (user_id, course_id, item_id) do update
    set position = greatest(present.position, excluded.position), is_done = present.is_done or excluded.is_done,
      is_reported = excluded.is_reported, updated_at = now()
    where excluded.position > present.position or (excluded.is_done and not present.is_done)`,
)

/**
 * Records how far learners have come, many of them in one statement. A learner's progress never goes back. `ctx` may be a
 * transaction.
 */
export async function recordProgress(ctx: Pick<Context, 'db'>, rows: readonly ItemProgress[]): Promise<void> {
  if (rows.length === 0) return
  const kept = rows.map((row) => ({
    ...row,
    courseId: prefixOf(row.provider) + row.courseId,
    // The built-in provider needs no report of what the database has.
    isReported: row.provider === 'built_in',
  }))
  await advance(ctx.db).execute({ rows: JSON.stringify(kept) })
}

/** What a learner has studied of these courses of the present provider: a row for each item that the learner has begun. */
export async function progressOf(ctx: Context, userId: number, courseIds: string[]): Promise<ItemProgress[]> {
  if (courseIds.length === 0) return []
  const provider = presentProvider(ctx)
  const prefix = prefixOf(provider)
  const { courseId, itemId, position, isDone } = courseProgress
  const rows = await ctx.db
    .select({ userId: courseProgress.userId, courseId, itemId, position, isDone })
    .from(courseProgress)
    .where(
      and(
        eq(courseProgress.userId, userId),
        inArray(
          courseId,
          courseIds.map((id) => prefix + id),
        ),
      ),
    )
  return rows.map((row) => ({ ...row, provider, courseId: row.courseId.slice(prefix.length) }))
}

/** What a user has studied of all courses together. */
export interface StudyStatistics {
  /** Courses of which the user has begun an item. */
  courses: number
  completedItems: number
  /** Seconds of items at speed 1. */
  studiedSeconds: number
}

const totals = preparedSql<StudyStatistics>(
  'study_statistics',
  sql`
    select count(distinct course_id)::int as courses, count(*) filter (where is_done)::int as "completedItems",
      coalesce(sum(position), 0)::float8 as "studiedSeconds"
    from course_progress where user_id = ${sql.placeholder('userId')}`,
)

export async function studyStatistics({ db }: Context, userId: number): Promise<StudyStatistics> {
  const [row] = await totals(db).execute({ userId })
  return row!
}
