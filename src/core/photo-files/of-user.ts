import { asc, eq } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { photoFiles } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { deletePhotoObjects } from './exposure.ts'
import { stopReceiving } from './files.ts'

const BATCH = 100

/**
 * Deletes some files of a deleted user that no photo uses, also those that are still arriving.
 * @returns how many
 */
export const deleteFilesOf = (ctx: Context, userId: number): Promise<number> =>
  transaction(ctx, async (tx) => {
    const files = await tx.db
      .select()
      .from(photoFiles)
      .where(eq(photoFiles.userId, userId))
      .orderBy(asc(photoFiles.id))
      .limit(BATCH)
      .for('update')
    for (const file of files) if (file.status === 'receiving') stopReceiving(tx, file)
    const ids = files.map(({ id }) => id)
    await tx.db.delete(photoFiles).where(isOneOf(photoFiles.id, ids))
    await deletePhotoObjects(tx, files)
    return ids.length
  })
