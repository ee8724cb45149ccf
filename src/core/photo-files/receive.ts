import { eq, sql } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { receiveFile, type UploadKind, type UploadSource } from '../files/receive.ts'
import { siteSettings } from '../system/site-settings.ts'
import { assertAllowed, type PhotoFormat, photoFormats } from './formats.ts'
import type { PhotoFile } from './rows.ts'
import { publishReceived, uploadName } from './states.ts'
import { abandonUpload, beginUpload, finishUpload } from './upload-steps.ts'

/** A client says nothing of a photo beside its file: a photo is made of the file later. */
export type PhotoDetails = Record<never, never>

/**
 * Receives the file of a photo, from its first byte until it waits to be processed.
 * @throws AppError as `receiveFile`, and UNSUPPORTED_PHOTO, TYPE_NOT_ALLOWED, UPLOAD_DELETED
 */
export const uploadPhoto = async (
  ctx: Context,
  who: Actor,
  source: UploadSource<PhotoDetails>,
): Promise<PhotoFile> => receiveFile(ctx, who.userId, await photoUploads(ctx, who), source)

/** Uploads of photos by one user, with the site's current limits. */
export async function photoUploads(
  ctx: Context,
  who: Actor,
): Promise<UploadKind<PhotoFormat, PhotoFile, PhotoDetails>> {
  const { upload } = await siteSettings(ctx)
  return {
    accepted: photoFormats(upload.maxFileSize),
    hashes: true,
    begin(ctx, userId, file) {
      assertAllowed(file.format.mimeType, upload.allowedTypes)
      return beginUpload(ctx, userId, file)
    },
    nameOf: ({ id }) => uploadName(id),
    keyOf: ({ objectKey }) => objectKey,
    publish: publishReceived,
    touch(ctx, { id }) {
      ctx.db
        .update(photoFiles)
        .set({ updatedAt: sql`now()` })
        .where(eq(photoFiles.id, id))
        .then(undefined, () => {})
    },
    async finish(tx, file, stored) {
      const finished = await finishUpload(tx, file, stored)
      const details = { name: file.fileName, size: stored.size }
      audit(tx, who, { action: 'photo_file.uploaded', target: file.id, subject: file.userId, details })
      return finished
    },
    abandon: abandonUpload,
  }
}
