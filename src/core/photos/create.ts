import { photos } from '../../db/schema/index.ts'
import { suffixed } from '../../util/slug.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import { assertCategories } from '../categories/assert.ts'
import { addCategories } from '../categories/assign.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { enqueueExposure } from '../photo-files/exposure.ts'
import { lockFileForPhoto } from '../photo-files/files.ts'
import type { PhotoFile } from '../photo-files/rows.ts'
import { isPublic } from '../photo-index/visibility.ts'
import { emitPhotoEvent } from '../photo-index/watchers.ts'
import { indexPhotos } from '../photo-index/write.ts'
import { siteSettings } from '../system/site-settings.ts'
import { resolveTags } from '../tags/resolve.ts'
import { transaction } from '../transaction.ts'
import { photoEvent } from './events.ts'
import { columnsOf, type PhotoInput } from './input.ts'
import type { Photo } from './rows.ts'
import { photoSlug } from './slugs.ts'
import { addTags } from './tags.ts'
import { type PhotoView, viewPhotos } from './view.ts'

export interface NewPhoto extends PhotoInput {
  /** Of a file that the caller has uploaded. It may still be in processing. */
  fileId: number
  title: string
}

/**
 * Makes a photo of an uploaded file.
 * @throws AppError UNKNOWN_FILE, UPLOAD_INCOMPLETE, FILE_IN_USE, UNKNOWN_CATEGORY, HALF_A_PLACE, VALIDATION_FAILED
 */
export async function createPhoto(ctx: Context, who: Actor, input: NewPhoto): Promise<PhotoView> {
  const { autoPublish } = (await siteSettings(ctx)).upload
  return transaction(ctx, async (tx) => {
    const categoryIds = [...new Set(input.categories)]
    await assertCategories(tx, categoryIds)
    const tagIds = await resolveTags(tx, input.tags ?? [])
    const file = await lockFile(tx, who, input.fileId)
    const photo = await insertPhoto(tx, {
      userId: who.userId,
      fileId: file.id,
      status: autoPublish ? 'published' : 'draft',
      visibility: 'public',
      takenAt: file.takenAt,
      title: input.title,
      ...columnsOf(input, file.takenAt),
    })
    await addCategories(tx, [photo.id], categoryIds, categoryIds[0])
    await addTags(tx, [photo.id], tagIds)
    await enqueueExposure(tx, [file.id])
    await indexPhotos(tx, [photo.id])
    await emitPhotoEvent(tx, photo.userId, 'photo.created', photoEvent(photo))
    const details = { title: photo.title }
    audit(tx, who, { action: 'photo.created', target: photo.id, subject: photo.userId, details })
    const [view] = await viewPhotos(tx, [photo.id])
    return view!
  })
}

async function lockFile(tx: Tx, who: Principal, id: number): Promise<PhotoFile> {
  try {
    return await lockFileForPhoto(tx, who, id)
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') throw unknownFile(id)
    throw error
  }
}

const unknownFile = (id: number) => new AppError('UNKNOWN_FILE', { params: { field: 'file_id', file: id } })

async function insertPhoto(tx: Tx, values: Omit<typeof photos.$inferInsert, 'slug'>): Promise<Photo> {
  const slug = photoSlug(values.title)
  const insert = (slug: string) =>
    tx.db
      .insert(photos)
      .values({ ...values, wasPublic: isPublic(values), slug })
      .onConflictDoNothing({ target: photos.slug })
      .returning()
  // A second photo with the same title gets a random suffix, which no other slug has by any likelihood.
  const [photo] = await insert(slug)
  return photo ?? (await insert(suffixed(slug)))[0]!
}
