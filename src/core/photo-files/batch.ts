import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import type { IncomingFile } from '../files/receive.ts'
import { siteSettings } from '../system/site-settings.ts'
import { photoName } from './names.ts'
import { type PhotoDetails, uploadPhoto } from './receive.ts'
import type { PhotoFile } from './rows.ts'

export interface Batch {
  uploaded: PhotoFile[]
  failed: { name: string; error: unknown }[]
  /** Whether the request was not read to its end. */
  isCutShort: boolean
}

type Take = (file: IncomingFile<PhotoDetails>) => Promise<void>

/**
 * Receives several files, one after the other. One that fails does not hold up the others.
 * @param read reads the whole request and hands over each file. When it breaks off after some files are complete, the batch
 * has those, and the one that broke off as failed
 * @throws the error of `read` when no file is complete, or when nobody waits for the answer
 */
export async function uploadPhotos(
  ctx: Context,
  who: Actor,
  read: (take: Take) => Promise<unknown>,
): Promise<Batch> {
  const { maxFilesPerBatch: limit } = (await siteSettings(ctx)).upload
  const batch: Batch = { uploaded: [], failed: [], isCutShort: false }
  const receive = async (file: IncomingFile<PhotoDetails>) => {
    if (batch.uploaded.length + batch.failed.length >= limit)
      throw new AppError('TOO_MANY_FILES', { params: { limit } })
    const source = {
      total: null,
      async read(take: Take) {
        await take(file)
        return {}
      },
    }
    batch.uploaded.push(await uploadPhoto(ctx, who, source))
  }
  try {
    await read((file) =>
      receive(file).catch((error: unknown) => void batch.failed.push({ name: photoName(file.name), error })),
    )
  } catch (error) {
    const isGone = error instanceof AppError && error.code === 'CLIENT_CLOSED'
    if (isGone || batch.uploaded.length === 0) throw error
    batch.isCutShort = true
  }
  return batch
}
