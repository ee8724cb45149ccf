import { eq } from 'drizzle-orm'
import { studySettings } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

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

/** The settings of a user who has not changed any are the default ones. */
export async function getStudySettings(ctx: Context, userId: number): Promise<StudySettings> {
  const [row] = await ctx.db.select().from(studySettings).where(eq(studySettings.userId, userId))
  return {
    speed: row?.speed ?? 1,
    notOpenAction: row?.notOpenAction ?? 'retry',
    cxUsername: row?.cxUsername ?? '',
    hasCxPassword: Boolean(row?.cxPasswordSealed),
  }
}
