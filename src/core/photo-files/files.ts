/** The uploaded files of photos, as their owners use them. */
import { and, asc, eq, ne, sql } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { seesWhole } from '../photo-index/visibility.ts'
import type { PhotoFile } from './rows.ts'

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
