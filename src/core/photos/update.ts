import { eq, sql } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit, fieldsOf } from '../audit/audit.ts'
import { assertCategories } from '../categories/assert.ts'
import { setCategories } from '../categories/assign.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { enqueueExposure } from '../photo-files/exposure.ts'
import { isPublic } from '../photo-index/visibility.ts'
import { emitPhotoEvent } from '../photo-index/watchers.ts'
import { indexPhotos } from '../photo-index/write.ts'
import { resolveTags } from '../tags/resolve.ts'
import { transaction } from '../transaction.ts'
import { assertMayChange, lockOwnPhoto } from './access.ts'
import { photoEvent } from './events.ts'
import { columnsOf, type PhotoInput } from './input.ts'
import { revisionOf } from './revision.ts'
import type { Photo } from './rows.ts'
import { slugAfter, withFreeSlug } from './slugs.ts'
import { setTags } from './tags.ts'
import { type PhotoView, viewPhotos } from './view.ts'

/**
 * Changes what the input names.
 * @param expects whether the change may be made to this revision of the photo (`revisionOf`); it is asked while the photo is
 * locked. Undefined for any.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED, PHOTO_CHANGED, UNKNOWN_CATEGORY, HALF_A_PLACE, VALIDATION_FAILED
 */
export async function updatePhoto(
  ctx: Context,
  who: Actor,
  id: number,
  input: PhotoInput,
  expects: ((revision: string) => boolean) | undefined,
): Promise<PhotoView> {
  // Before the locks, because a caller who may not change the photo must not learn which categories exist.
  await assertMayChange(ctx, who, id)
  return withFreeSlug(() =>
    transaction(ctx, async (tx) => {
      const categoryIds = input.categories && [...new Set(input.categories)]
      if (categoryIds) await assertCategories(tx, categoryIds)
      const tagIds = input.tags && (await resolveTags(tx, input.tags))
      const before = await lockOwnPhoto(tx, who, id)
      if (expects && !expects(revisionOf((await viewPhotos(tx, [id]))[0]!)))
        throw new AppError('PHOTO_CHANGED')
      if (Object.values(input).some((value) => value !== undefined)) {
        if (categoryIds) await setCategories(tx, id, categoryIds)
        if (tagIds) await setTags(tx, id, tagIds)
        const photo = await writeColumns(tx, before, input)
        if (photo.status !== before.status || photo.visibility !== before.visibility)
          await enqueueExposure(tx, [photo.fileId])
        await indexPhotos(tx, [id])
        await emitPhotoEvent(tx, photo.userId, 'photo.updated', photoEvent(photo))
        const details = { fields: fieldsOf(input) }
        audit(tx, who, { action: 'photo.updated', target: id, subject: photo.userId, details })
      }
      const [view] = await viewPhotos(tx, [id])
      return view!
    }),
  )
}

async function writeColumns(tx: Tx, before: Photo, input: PhotoInput): Promise<Photo> {
  const takenAt = input.takenAt === null ? await takenAtOf(tx, before.fileId) : null
  const columns = columnsOf(input, takenAt)
  const [photo] = await tx.db
    .update(photos)
    .set({
      ...columns,
      slug: await slugAfter(tx, before, input.title),
      wasPublic: before.wasPublic || isPublic({ ...before, ...columns }),
      version: sql`${photos.version} + 1`,
      updatedAt: sql`now()`,
    })
    .where(eq(photos.id, before.id))
    .returning()
  return photo!
}

async function takenAtOf(tx: Tx, fileId: number): Promise<Date | null> {
  const [file] = await tx.db
    .select({ takenAt: photoFiles.takenAt })
    .from(photoFiles)
    .where(eq(photoFiles.id, fileId))
  return file?.takenAt ?? null
}
