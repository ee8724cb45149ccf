/** The uploaded files of photos, as their owners use them. */
import { and, asc, eq, ne, sql } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { uploadEndedHint } from '../files/hints.ts'
import { hiddenKey } from '../files/keys.ts'
import { seesWhole } from '../photo-index/visibility.ts'
import { transaction } from '../transaction.ts'
import { deleteObjectsHandle } from './job-handles.ts'
import type { PhotoFile } from './rows.ts'
import { clearPhotoUpload, uploadName } from './states.ts'
import { uploadEvent } from './upload-steps.ts'

/** @throws AppError NOT_FOUND, also for the file of another user unless `who` holds `photo.*` */
export async function getOwnFile(ctx: Context, who: Principal, id: number): Promise<PhotoFile> {
  const [file] = await ctx.db.select().from(photoFiles).where(eq(photoFiles.id, id))
  return assertOwn(who, id, file)
}

function assertOwn(who: Principal, id: number, file: PhotoFile | undefined): PhotoFile {
  if (!file || !seesWhole(who, file)) throw notFound('upload', id)
  return file
}

/** @throws AppError NOT_FOUND, as `getOwnFile` */
export async function lockOwnFile(tx: Tx, who: Principal, id: number): Promise<PhotoFile> {
  const [file] = await tx.db.select().from(photoFiles).where(eq(photoFiles.id, id)).for('update')
  return assertOwn(who, id, file)
}

/**
 * Locks a file for the photo that is about to be made of it. The file may still be waiting or in processing. Who locks a file
 * and its photo locks the file first.
 * @throws AppError NOT_FOUND, also for the file of another user; UPLOAD_INCOMPLETE, FILE_IN_USE
 */
export async function lockFileForPhoto(tx: Tx, who: Principal, id: number): Promise<PhotoFile> {
  const file = await lockOwnFile(tx, who, id)
  if (file.userId !== who.userId) throw notFound('upload', id)
  if (file.status === 'receiving') throw new AppError('UPLOAD_INCOMPLETE')
  if (await isUsed(tx, id)) throw new AppError('FILE_IN_USE')
  return file
}

async function isUsed(tx: Tx, fileId: number): Promise<boolean> {
  const [photo] = await tx.db.select({ id: photos.id }).from(photos).where(eq(photos.fileId, fileId))
  return photo !== undefined
}

/**
 * Deletes a file that no photo uses any more: the record in this transaction, the objects after the commit.
 * A deleted photo's row must be gone before.
 */
export async function deleteFile(tx: Tx, { id, objectKey, renditions }: PhotoFile): Promise<void> {
  await tx.db.delete(photoFiles).where(eq(photoFiles.id, id))
  const made = renditions.map(({ key }) => key)
  await tx.queue.enqueue(tx, deleteObjectsHandle, { keys: [objectKey, ...made, ...made.map(hiddenKey)] })
  clearPhotoUpload(tx, id)
}

/**
 * Deletes an upload. It may still be arriving; the server that receives it stops.
 * @throws AppError NOT_FOUND, FILE_OF_PHOTO
 */
export async function deleteUpload(ctx: Context, who: Principal, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const file = await lockOwnFile(tx, who, id)
    if (await isUsed(tx, id)) throw new AppError('FILE_OF_PHOTO')
    if (file.status === 'receiving') {
      tx.emit(file.userId, 'upload.failed', { ...uploadEvent(file), reason: 'UPLOAD_DELETED' })
      // First the hint: the server that receives the upload must not set the state again.
      tx.afterCommit(() =>
        ctx.bus.publish(uploadEndedHint, { upload: uploadName(id), code: 'UPLOAD_DELETED' }),
      )
    }
    await deleteFile(tx, file)
  })
}

/** The first complete file of the same user with the same content; undefined when there is no other. */
export async function duplicateOf(ctx: Context, file: PhotoFile): Promise<number | undefined> {
  if (!file.sha256) return undefined
  const [same] = await ctx.db
    .select({ id: photoFiles.id })
    .from(photoFiles)
    .where(
      and(
        eq(photoFiles.userId, file.userId),
        eq(photoFiles.sha256, file.sha256),
        ne(photoFiles.status, 'receiving'),
        sql`${photoFiles.id} < ${file.id}`,
      ),
    )
    .orderBy(asc(photoFiles.id))
    .limit(1)
  return same?.id
}
