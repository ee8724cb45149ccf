/** The uploaded files of photos, as their owners use them. */
import { and, eq, inArray, lt, min, ne } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { photoFiles, photos } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { uploadEndedHint } from '../files/hints.ts'
import { seesWhole } from '../photo-index/visibility.ts'
import { transaction } from '../transaction.ts'
import { deletePhotoObjects } from './exposure.ts'
import type { PhotoFile } from './rows.ts'
import { endPhotoUpload, uploadName } from './states.ts'
import { uploadEvent } from './upload-steps.ts'

/** @throws AppError NOT_FOUND, also for the file of another user unless `who` holds `photo.*` */
export async function getOwnFile(ctx: Context, who: Principal, id: number): Promise<PhotoFile> {
  const [file] = await ctx.db.select().from(photoFiles).where(hasId(id))
  return assertOwn(who, id, file)
}

const hasId = (id: number) => and(eq(photoFiles.id, id), ownerExists(photoFiles.userId))

function assertOwn(who: Principal, id: number, file: PhotoFile | undefined): PhotoFile {
  if (!file || !seesWhole(who, file)) throw notFound('upload', id)
  return file
}

/** @throws AppError NOT_FOUND, as `getOwnFile` */
export async function lockOwnFile(tx: Tx, who: Principal, id: number): Promise<PhotoFile> {
  const [file] = await tx.db.select().from(photoFiles).where(hasId(id)).for('update')
  return assertOwn(who, id, file)
}

/**
 * Locks a file for the photo that is about to be made of it. The file may still be waiting or in processing.
 * @throws AppError NOT_FOUND, also for the file of another user; UPLOAD_INCOMPLETE, FILE_IN_USE
 */
export async function lockFileForPhoto(tx: Tx, who: Principal, id: number): Promise<PhotoFile> {
  const file = await lockOwnFile(tx, who, id)
  if (file.userId !== who.userId) throw notFound('upload', id)
  if (file.status === 'receiving') throw new AppError('UPLOAD_INCOMPLETE')
  if (await isUsed(tx, id)) throw new AppError('FILE_IN_USE')
  return file
}

/** Whether a photo has been made of the file. */
export async function isUsed(tx: Tx, fileId: number): Promise<boolean> {
  const [photo] = await tx.db.select({ id: photos.id }).from(photos).where(eq(photos.fileId, fileId))
  return photo !== undefined
}

/**
 * Deletes an upload. It may still be arriving; the server that receives it stops.
 * @throws AppError NOT_FOUND, FILE_OF_PHOTO
 */
export async function deleteUpload(ctx: Context, who: Actor, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const file = await lockOwnFile(tx, who, id)
    if (await isUsed(tx, id)) throw new AppError('FILE_OF_PHOTO')
    if (file.status === 'receiving') {
      tx.emit(file.userId, 'upload.failed', { ...uploadEvent(file), reason: 'UPLOAD_DELETED' })
      stopReceiving(tx, file)
    }
    await tx.db.delete(photoFiles).where(eq(photoFiles.id, id))
    await deletePhotoObjects(tx, [file])
    const details = { name: file.fileName }
    audit(tx, who, { action: 'photo_file.deleted', target: id, subject: file.userId, details })
  })
}

/** The server that receives the upload stops after the commit. */
export function stopReceiving(tx: Tx, { id }: PhotoFile): void {
  // First the hint: that server must not set the state again.
  tx.afterCommit(() => tx.bus.publish(uploadEndedHint, { upload: uploadName(id), code: 'UPLOAD_DELETED' }))
  endPhotoUpload(tx, id)
}

/** The earliest other file of the same user with the same content, by the id of each file that has one, in one query. */
export async function duplicatesOf(
  ctx: Context,
  files: Pick<PhotoFile, 'id'>[],
): Promise<Map<number, number>> {
  if (files.length === 0) return new Map()
  const earlier = alias(photoFiles, 'earlier')
  const rows = await ctx.db
    .select({ id: photoFiles.id, earlier: min(earlier.id) })
    .from(photoFiles)
    .innerJoin(
      earlier,
      and(
        eq(earlier.userId, photoFiles.userId),
        eq(earlier.sha256, photoFiles.sha256),
        ne(earlier.status, 'receiving'),
        lt(earlier.id, photoFiles.id),
      ),
    )
    .where(
      inArray(
        photoFiles.id,
        files.map(({ id }) => id),
      ),
    )
    .groupBy(photoFiles.id)
  return new Map(rows.map((row) => [row.id, row.earlier!]))
}
