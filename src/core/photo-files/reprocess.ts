import { eq, sql } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { siteSettings } from '../system/site-settings.ts'
import { transaction } from '../transaction.ts'
import { isUsed, lockOwnFile } from './files.ts'
import { namesToMake } from './processing.ts'
import { enqueueProcessing } from './queue.ts'
import { type PhotoFile, RENDITION_NAMES, type Rendition } from './rows.ts'
import { clearPhotoUpload } from './states.ts'
import { cleanOf } from './watermark.ts'

/**
 * Makes renditions of a file anew: those that are missing, or all with `force` and after a failure. Renditions that the file
 * has already stay in use until then.
 * @param names only these; by default all that the site makes of a photo
 * @throws AppError NOT_FOUND, UPLOAD_INCOMPLETE, STILL_PROCESSING
 */
export function reprocess(
  ctx: Context,
  who: Actor,
  fileId: number,
  { names, force }: { names?: readonly Rendition['name'][] | undefined; force: boolean },
): Promise<PhotoFile> {
  return transaction(ctx, async (tx: Tx) => {
    const file = await lockOwnFile(tx, who, fileId)
    audit(tx, who, { action: 'photo_file.reprocessed', target: fileId, subject: file.userId })
    if (file.status === 'receiving') throw new AppError('UPLOAD_INCOMPLETE')
    if (file.status === 'uploaded' || file.status === 'processing') throw new AppError('STILL_PROCESSING')
    // The renditions of a file that has failed are those of an earlier processing.
    const isAgain = force || file.status === 'failed'
    const isMissing = (name: string) => !cleanOf(file).some((rendition) => rendition.name === name)
    const wanted = names ?? namesToMake(await siteSettings(tx))
    const only = RENDITION_NAMES.filter((name) => wanted.includes(name) && (isAgain || isMissing(name)))
    if (only.length === 0) return file
    const [waiting] = await tx.db
      .update(photoFiles)
      .set({ status: 'uploaded', step: null, failure: null, updatedAt: sql`now()` })
      .where(eq(photoFiles.id, fileId))
      .returning()
    if (await isUsed(tx, fileId)) tx.changed('photos')
    await enqueueProcessing(tx, waiting!, only)
    clearPhotoUpload(tx, fileId)
    return waiting!
  })
}
