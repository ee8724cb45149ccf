/** How users study, and their accounts at the provider of courses: docs/contracts/study.md, "Settings". */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { studySettings, users } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit, fieldsOf } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'

/** How a user studies. */
export interface StudySettings {
  /** Seconds of an item for each second of time. */
  speed: number
  /** What a study task does at an item that is not open. */
  notOpenAction: 'retry' | 'skip' | 'stop'
  /** The account at the provider of courses; empty when there is none. */
  cxUsername: string
  hasCxPassword: boolean
}

type Row = typeof studySettings.$inferSelect

const DEFAULTS = { speed: 1, notOpenAction: 'retry', cxUsername: '', cxPasswordSealed: null } as const

const toSettings = (row: Omit<Row, 'userId' | 'updatedAt'>): StudySettings => ({
  speed: row.speed,
  notOpenAction: row.notOpenAction,
  cxUsername: row.cxUsername,
  hasCxPassword: row.cxPasswordSealed !== null,
})

/** A user who has not changed any has the default ones. */
export async function getStudySettings(ctx: Context, userId: number): Promise<StudySettings> {
  return toSettings((await settingsOf(ctx, userId)) ?? DEFAULTS)
}

async function settingsOf({ db }: Context, userId: number): Promise<Row | undefined> {
  const [row] = await db.select().from(studySettings).where(eq(studySettings.userId, userId))
  return row
}

/** The fields to change. Null is the default value. */
export interface StudySettingsChange {
  speed?: number | null | undefined
  notOpenAction?: StudySettings['notOpenAction'] | null | undefined
  cxUsername?: string | null | undefined
  /** An empty one is none. */
  cxPassword?: string | null | undefined
}

export async function updateStudySettings(
  ctx: Context,
  who: Actor,
  change: StudySettingsChange,
): Promise<StudySettings> {
  const { userId } = who
  const fields = fieldsOf(change)
  if (fields.length === 0) return getStudySettings(ctx, userId)
  const values = {
    ...(change.speed !== undefined && { speed: change.speed ?? DEFAULTS.speed }),
    ...(change.notOpenAction !== undefined && {
      notOpenAction: change.notOpenAction ?? DEFAULTS.notOpenAction,
    }),
    ...(change.cxUsername !== undefined && { cxUsername: change.cxUsername ?? DEFAULTS.cxUsername }),
    ...(change.cxPassword !== undefined && {
      cxPasswordSealed: change.cxPassword ? seal(ctx, userId, change.cxPassword) : null,
    }),
  }
  return transaction(ctx, async (tx) => {
    // The row of a user who is deleted meanwhile would stay.
    const [user] = await tx.db
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.id, userId), isNull(users.deletedAt)))
      .for('share')
    if (!user) throw notFound('user', userId)
    const [row] = await tx.db
      .insert(studySettings)
      .values({ userId, ...DEFAULTS, ...values })
      .onConflictDoUpdate({ target: studySettings.userId, set: { ...values, updatedAt: sql`now()` } })
      .returning()
    audit(tx, who, { action: 'study_settings.updated', target: userId, subject: userId, details: { fields } })
    return toSettings(row!)
  })
}

/** A learner's account at the provider of courses. */
export interface CourseAccount {
  username: string
  password: string
}

/**
 * The accounts of these learners, without those who have named none, or whose password was encrypted with another secret than
 * the server has now.
 */
export async function courseAccountsOf(
  ctx: Context,
  userIds: Iterable<number>,
): Promise<Map<number, CourseAccount>> {
  const rows = await ctx.db.select().from(studySettings).where(isOneOf(studySettings.userId, userIds))
  return new Map(
    rows.flatMap(({ userId, cxUsername: username, cxPasswordSealed }) => {
      const password = cxPasswordSealed && unseal(ctx, userId, cxPasswordSealed)
      return password && username ? [[userId, { username, password }] as const] : []
    }),
  )
}

const PURPOSE = 'cx-password'

/** With the user's id, so that a password that is copied into the row of another user is none there. */
const seal = ({ sealed }: Context, userId: number, password: string): string =>
  sealed.seal(PURPOSE, `${userId}:${password}`)

function unseal({ sealed }: Context, userId: number, text: string): string | undefined {
  const opened = sealed.open(PURPOSE, text)
  const mark = `${userId}:`
  return opened?.startsWith(mark) ? opened.slice(mark.length) : undefined
}
