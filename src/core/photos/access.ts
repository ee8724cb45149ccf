import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { photoFiles, photos } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { isPublic, seesWhole } from '../photo-index/visibility.ts'
import type { Photo } from './rows.ts'

/**
 * Why this user may not change a photo; undefined when the user may. Whether a photo exists is not told to a user who may not
 * see it.
 */
export function refusal(who: Principal, id: number, photo: Photo | undefined): AppError | undefined {
  if (photo && seesWhole(who, photo)) return undefined
  if (!photo || !isPublic(photo)) return notFound('photo', id)
  return new AppError('PERMISSION_DENIED', { params: { requiredPermission: 'photo.*', userRole: who.role } })
}

/**
 * Locks a photo that this user may change, and its file before it, because a change of the photo may expose or hide the file.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED
 */
export async function lockOwnPhoto(tx: Tx, who: Principal, id: number): Promise<Photo> {
  const photo = (await lockPhotos(tx, [id])).get(id)
  const refused = refusal(who, id, photo)
  if (refused) throw refused
  return photo!
}

const ofExistingUser = ownerExists(photos.userId)

/**
 * Locks those of the photos that exist. Those of a deleted user exist for nobody, although a job has yet to delete them. Every
 * change locks categories, tags, files and photos in this order, and each in the order of ids.
 */
export const lockPhotos = (tx: Tx, ids: number[]): Promise<Map<number, Photo>> =>
  lockRows(tx, ids, ofExistingUser)

/** The same, for the job that deletes what a deleted user has left. */
export const lockLeftPhotos = (tx: Tx, ids: number[]): Promise<Map<number, Photo>> => lockRows(tx, ids)

async function lockRows(tx: Tx, ids: number[], which?: SQL): Promise<Map<number, Photo>> {
  await tx.db
    .select({ id: photoFiles.id })
    .from(photoFiles)
    .where(sql`${photoFiles.id} in (select ${photos.fileId} from ${photos} where ${isOneOf(photos.id, ids)})`)
    .orderBy(photoFiles.id)
    .for('update')
  const rows = await tx.db
    .select()
    .from(photos)
    .where(and(isOneOf(photos.id, ids), which))
    .orderBy(photos.id)
    .for('update')
  return new Map(rows.map((photo) => [photo.id, photo]))
}

/** @throws AppError NOT_FOUND, PERMISSION_DENIED */
export async function assertMayChange(ctx: Pick<Tx, 'db'>, who: Principal, id: number): Promise<void> {
  const [photo] = await ctx.db
    .select()
    .from(photos)
    .where(and(eq(photos.id, id), ofExistingUser))
  const refused = refusal(who, id, photo)
  if (refused) throw refused
}
