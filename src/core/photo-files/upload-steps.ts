/** The steps of an upload of a photo's file. Its record exists from the first bytes on. */
import { randomBytes } from 'node:crypto'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { UploadEvent } from '../files/events.ts'
import { tooManyUploads } from '../files/incoming.ts'
import { LOST_SECONDS } from '../files/progress.ts'
import { transaction } from '../transaction.ts'
import type { PhotoFormat } from './formats.ts'
import { extensionOf, originalKey } from './keys.ts'
import { photoName } from './names.ts'
import { enqueueProcessing } from './queue.ts'
import type { PhotoFile } from './rows.ts'
import { clearPhotoUpload, endPhotoUpload } from './states.ts'

/** Sets apart the files that one user uploads with one name in one second. */
const newMark = () => randomBytes(8).toString('hex')

export const uploadEvent = ({ id, fileName, objectKey }: PhotoFile): UploadEvent => ({
  of: { fileId: id },
  title: fileName,
  type: 'photo',
  fileFormat: extensionOf(objectKey),
})

/**
 * Makes the record of an upload whose first bytes have shown its format.
 * @throws AppError TOO_MANY_UPLOADS when all servers together receive too many files of this user
 */
export function beginUpload(
  ctx: Context,
  userId: number,
  file: { format: PhotoFormat; name: string },
): Promise<PhotoFile> {
  const limit = ctx.config.uploadsPerUser
  const { extension, mimeType } = file.format
  const begin = async (tx: Tx): Promise<PhotoFile> => {
    // Two uploads cannot both take the last place. Uploads of materials count too.
    await tx.db.execute(sql`select pg_advisory_xact_lock(hashtext('roost:uploads'), ${userId}::int)`)
    const [room] = await tx.db.execute<{ receiving: number }>(
      sql`select count_uploads(${userId}, ${LOST_SECONDS}) as receiving`,
    )
    if (room!.receiving >= limit) throw tooManyUploads(limit)
    const [row] = await tx.db
      .insert(photoFiles)
      .values({
        userId,
        status: 'receiving',
        fileName: photoName(file.name),
        mimeType,
        objectKey: originalKey(userId, new Date(), file.name, extension, newMark()),
      })
      .returning()
    tx.emit(userId, 'upload.started', uploadEvent(row!))
    return row!
  }
  return ctx.services.uploads.inTurn(userId, () => transaction(ctx, begin))
}

/**
 * Marks a stored upload as uploaded. The job that processes it is in the same commit.
 * @throws AppError UPLOAD_DELETED when a user, or cleanup, deleted it meanwhile
 */
export async function finishUpload(
  tx: Tx,
  { id, userId }: PhotoFile,
  file: { size: number; sha256: string | null },
): Promise<PhotoFile> {
  const [row] = await tx.db
    .update(photoFiles)
    .set({ status: 'uploaded', fileSize: file.size, sha256: file.sha256, updatedAt: sql`now()` })
    .where(isReceiving(id))
    .returning()
  if (!row) throw new AppError('UPLOAD_DELETED')
  tx.emit(userId, 'upload.completed', { ...uploadEvent(row), fileSize: file.size })
  await enqueueProcessing(tx, row)
  clearPhotoUpload(tx, id)
  return row
}

const isReceiving = (id: number) => and(eq(photoFiles.id, id), eq(photoFiles.status, 'receiving'))

/**
 * Deletes record and object of a failed upload and emits `upload.failed`. Call it only after the write of the object has
 * settled. It never throws: cleanup deletes what is left after a failure here.
 */
export async function abandonUpload(ctx: Context, file: PhotoFile, reason: string): Promise<void> {
  try {
    if (await giveUpUpload(ctx, file, reason)) return
    const [left] = await ctx.db
      .select({ id: photoFiles.id })
      .from(photoFiles)
      .where(eq(photoFiles.id, file.id))
    // With a record left, the upload is complete: the commit succeeded, and only its answer was lost. Without one, a user
    // deleted it during the write, when there was no object to delete yet.
    if (!left) await ctx.storage.delete([file.objectKey])
  } catch (error) {
    ctx.log.warn({ err: error, file: file.id }, 'a failed upload is left to cleanup')
  }
}

/**
 * Deletes an upload that is still arriving and matches `only`: first the record, so that the upload cannot be completed any
 * more, then its object.
 * @param lockMs how long a sweep waits for locks. After that time this throws, and the next sweep tries again
 * @returns whether it deleted the upload
 */
export async function giveUpUpload(
  ctx: Context,
  { id, userId, objectKey }: PhotoFile,
  reason: string,
  { only, lockMs }: { only?: SQL; lockMs?: number } = {},
): Promise<boolean> {
  const remove = async (tx: Tx): Promise<boolean> => {
    const [gone] = await tx.db
      .delete(photoFiles)
      .where(and(isReceiving(id), only))
      .returning()
    if (!gone) return false
    tx.emit(userId, 'upload.failed', { ...uploadEvent(gone), reason })
    endPhotoUpload(tx, id)
    return true
  }
  if (!(await transaction(ctx, remove, { lockMs }))) return false
  await ctx.storage.delete([objectKey])
  return true
}
