/** The photos of a user who is deleted. */
import { asc, eq, sql } from 'drizzle-orm'
import { idRanges } from '../../db/id-ranges.ts'
import { photoFiles, photoIndex, photos } from '../../db/schema/index.ts'
import { lockCovered } from '../categories/tree.ts'
import type { Context, Tx } from '../context.ts'
import { transaction } from '../transaction.ts'
import { lockLeftPhotos } from './access.ts'
import { removePhotos } from './delete.ts'

const BATCH = 100

/**
 * Hides all photos of a user from everybody. It takes a few dozen microseconds for a photo, so that the request can wait for it,
 * while the deletion of the photos is left to a job.
 */
export async function hidePhotosOf(tx: Tx, userId: number): Promise<void> {
  const exposed = sql`${photoFiles.userId} = ${userId} and ${photoFiles.exposed}`
  for (const some of await idRanges(tx.db, photoFiles, exposed))
    await tx.db.update(photoFiles).set({ exposed: false }).where(some)
  for (const some of await idRanges(tx.db, photos, eq(photos.userId, userId))) {
    await tx.db
      .update(photos)
      .set({ status: 'archived', visibility: 'private', updatedAt: sql`now()` })
      .where(some)
  }
  // Lists, counts and searches read this table alone, those of administrators too.
  await tx.db.delete(photoIndex).where(eq(photoIndex.ownerId, userId))
  tx.changed('photos')
}

/** Deletes some photos of a user, with their files. @returns how many */
export async function deletePhotosOf(ctx: Context, userId: number): Promise<number> {
  const some = await ctx.db
    .select({ id: photos.id })
    .from(photos)
    .where(eq(photos.userId, userId))
    .orderBy(asc(photos.id))
    .limit(BATCH)
  const ids = some.map(({ id }) => id)
  if (ids.length === 0) return 0
  await transaction(ctx, async (tx) => {
    await lockCovered(tx, ids)
    await removePhotos(tx, [...(await lockLeftPhotos(tx, ids)).values()])
  })
  return ids.length
}
