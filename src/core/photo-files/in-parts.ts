/** Photos whose bytes come with several requests. */
import { eq } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { ERRORS } from '../errors/catalogue.ts'
import { AppError, notFound } from '../errors.ts'
import { type ChunkedSession, type NewChunkedUpload, openChunked } from '../files/chunks.ts'
import { completeSession } from '../files/completion.ts'
import { tooLarge } from '../files/formats.ts'
import { abortSession, type NewSession, openSession, type UploadSession } from '../files/sessions.ts'
import { siteSettings } from '../system/site-settings.ts'
import { assertAllowed } from './formats.ts'
import { photoName } from './names.ts'
import { photoUploads } from './receive.ts'
import type { PhotoFile } from './rows.ts'

/** Media types that no accepted photo has. The content decides about all others. */
const NO_PHOTO = /^(text|audio|video|font|multipart)\/|^image\/(gif|svg\+xml|bmp)\b/i

/** Bytes that a photo may have. */
export const maxPhotoBytes = async (ctx: Context): Promise<number> =>
  (await siteSettings(ctx)).upload.maxFileSize

/** Refuses what a complete upload would be refused for, before its bytes come. */
async function assertPossible(
  ctx: Context,
  { fileSize, mimeType }: Pick<UploadSession, 'fileSize' | 'mimeType'>,
): Promise<void> {
  const { maxFileSize, allowedTypes } = (await siteSettings(ctx)).upload
  if ((fileSize ?? 0) > maxFileSize) throw tooLarge(maxFileSize)
  const type = mimeType.trim().toLowerCase()
  if (NO_PHOTO.test(type)) throw new AppError('UNSUPPORTED_PHOTO')
  assertAllowed(type, allowedTypes)
}

/** @throws AppError FILE_TOO_LARGE, UNSUPPORTED_PHOTO, TYPE_NOT_ALLOWED, TOO_MANY_CHUNKS, TOO_MANY_UNFINISHED_UPLOADS */
export async function openChunkedPhoto(
  ctx: Context,
  userId: number,
  upload: NewChunkedUpload,
): Promise<ChunkedSession> {
  await assertPossible(ctx, upload)
  return openChunked(ctx, userId, { ...upload, fileName: photoName(upload.fileName) })
}

/** @throws AppError FILE_TOO_LARGE, UNSUPPORTED_PHOTO, TYPE_NOT_ALLOWED, TOO_MANY_UNFINISHED_UPLOADS */
export async function openResumablePhoto(
  ctx: Context,
  upload: Omit<NewSession, 'protocol' | 'chunkSize'>,
): Promise<UploadSession> {
  await assertPossible(ctx, upload)
  const fileName = photoName(upload.fileName)
  return openSession(ctx, { ...upload, fileName, protocol: 'resumable', chunkSize: null })
}

/**
 * Makes the file of a photo of what has arrived, once: later calls answer the same file.
 * @param sha256 that it must have, in lower-case hexadecimal, besides the one that the client may have named at the beginning
 * @throws AppError as `completeSession` and `uploadPhoto`; NOT_FOUND when the file has been deleted since
 */
export async function completePhoto(
  ctx: Context,
  who: Actor,
  session: UploadSession,
  sha256?: string,
): Promise<PhotoFile> {
  return completedFile(ctx, await complete(ctx, who, session, sha256), sha256)
}

/** The same for an upload whose bytes cannot be sent again: when its content is not accepted, it is deleted. */
export async function completeResumable(
  ctx: Context,
  who: Actor,
  session: UploadSession,
  sha256?: string,
): Promise<PhotoFile> {
  const id = await complete(ctx, who, session, sha256).catch(async (error) => {
    if (isAboutContent(error)) await abortSession(ctx, session)
    throw error
  })
  return completedFile(ctx, id, sha256)
}

const complete = async (
  ctx: Context,
  who: Actor,
  session: UploadSession,
  sha256: string | undefined,
): Promise<number> => completeSession(ctx, session, await photoUploads(ctx, who), { details: {}, sha256 })

/** An earlier request may have completed the upload, without the digest. */
async function completedFile(ctx: Context, id: number, sha256: string | undefined): Promise<PhotoFile> {
  const [file] = await ctx.db.select().from(photoFiles).where(eq(photoFiles.id, id))
  if (!file) throw notFound('upload', id)
  if (sha256 && file.sha256 !== sha256) throw new AppError('DIGEST_MISMATCH')
  return file
}

const ABOUT_CONTENT = new Set(['invalid', 'unsupported', 'too_large'])

/** Whether the same bytes would fail again. */
export const isAboutContent = (error: unknown): boolean =>
  error instanceof AppError && ABOUT_CONTENT.has(ERRORS[error.code].kind)
