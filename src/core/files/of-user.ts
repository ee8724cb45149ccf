import { asc, eq, inArray } from 'drizzle-orm'
import { uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { deleteObjectsOf } from './pieces.ts'

const BATCH = 100

/**
 * Deletes some uploads of a deleted user that arrive in several requests, with what has arrived of them.
 * @returns how many
 */
export async function deleteUploadsOf(ctx: Context, userId: number): Promise<number> {
  const some = ctx.db
    .select({ id: uploadSessions.id })
    .from(uploadSessions)
    .where(eq(uploadSessions.userId, userId))
    .orderBy(asc(uploadSessions.id))
    .limit(BATCH)
  const deleted = await ctx.db
    .delete(uploadSessions)
    .where(inArray(uploadSessions.id, some))
    .returning({ id: uploadSessions.id })
  for (const { id } of deleted) await deleteObjectsOf(ctx, id)
  return deleted.length
}
