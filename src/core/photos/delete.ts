import { isOneOf } from '../../db/arrays.ts'
import { photoFiles, photos } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import { lockCovered } from '../categories/tree.ts'
import type { Context, Tx } from '../context.ts'
import { deletePhotoObjects } from '../photo-files/exposure.ts'
import { clearPhotoUpload } from '../photo-files/states.ts'
import { emitPhotoEvents } from '../photo-index/watchers.ts'
import { transaction } from '../transaction.ts'
import { lockOwnPhoto } from './access.ts'
import type { Photo } from './rows.ts'

/**
 * Deletes a photo and its file. The objects go after the commit, as soon as the object store answers.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED
 */
export async function deletePhoto(ctx: Context, who: Actor, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    await lockCovered(tx, [id])
    const photo = await lockOwnPhoto(tx, who, id)
    await removePhotos(tx, [photo])
    const details = { title: photo.title }
    audit(tx, who, { action: 'photo.deleted', target: id, subject: photo.userId, details })
  })
}

/** Deletes photos that the caller has locked, and before them, by `lockCovered`, their categories. */
export async function removePhotos(tx: Tx, removed: readonly Photo[]): Promise<void> {
  if (removed.length === 0) return
  const ids = removed.map(({ id }) => id)
  await tx.db.delete(photos).where(isOneOf(photos.id, ids))
  const fileIds = removed.map(({ fileId }) => fileId)
  const files = await tx.db
    .delete(photoFiles)
    .where(isOneOf(photoFiles.id, fileIds))
    .returning({ id: photoFiles.id, objectKey: photoFiles.objectKey })
  await deletePhotoObjects(tx, files)
  for (const { id } of files) clearPhotoUpload(tx, id)
  tx.changed('photos')
  await emitPhotoEvents(
    tx,
    removed.map(({ id, userId }) => ({
      ownerId: userId,
      type: 'photo.deleted',
      data: { photoId: id },
    })),
  )
}
