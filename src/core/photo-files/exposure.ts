/**
 * Copies of renditions at public keys. Clients fetch them straight from the object store, which asks nobody, so they exist
 * only while everybody may see the photo. The renditions themselves stay at hidden keys, so that no failure can lose one.
 */
import { and, eq, inArray } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Context, Tx } from '../context.ts'
import { hiddenKey } from '../files/keys.ts'
import { isPublic } from '../photo-index/visibility.ts'
import { backupRuns, WaitsForBackup } from '../system/backup-lease.ts'
import { siteSettings } from '../system/site-settings.ts'
import { transaction } from '../transaction.ts'
import { exposureHandle, photoDeletionHandle } from './job-handles.ts'
import { hiddenFolder, publicFolder } from './keys.ts'
import type { PhotoFile } from './rows.ts'
import { renditionsToCopy, type SiteWatermark, watermarkOf } from './watermark.ts'

/** How often one run begins again because the photo has changed meanwhile. */
const ROUNDS = 10

/**
 * Call it in every transaction that changes who may see the photos of these files, or the renditions of the files. From the
 * commit on, no answer has an address of a copy until the copies are right again.
 */
export async function enqueueExposure(tx: Tx, fileIds: number[]): Promise<void> {
  if (fileIds.length === 0) return
  await tx.db.update(photoFiles).set({ exposed: false }).where(inArray(photoFiles.id, fileIds))
  tx.changed('photos')
  await tx.queue.enqueue(tx, exposureHandle, { fileIds })
}

/** Call it in the transaction that deletes these files: their objects are deleted after the commit. */
export async function deletePhotoObjects(
  tx: Tx,
  files: Pick<PhotoFile, 'id' | 'objectKey'>[],
): Promise<void> {
  if (files.length === 0) return
  await tx.queue.enqueue(tx, photoDeletionHandle, {
    files: files.map(({ id, objectKey }) => ({ id, objectKey })),
  })
}

/**
 * Makes the copies of one file as they should be now. It may run several times, and at the same time on several servers.
 * @throws StorageError; the queue tries again
 */
export async function expose(ctx: Context, fileId: number): Promise<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    const wanted = await wantedCopies(ctx, fileId, watermarkOf(await siteSettings(ctx)))
    const isComplete = await makeCopies(ctx, fileId, wanted)
    if (await settle(ctx, fileId, wanted, isComplete)) return
  }
  throw new Error('the photo changed in every round')
}

/** The public keys that should have a copy. None where clients fetch all files from this server. */
async function wantedCopies(
  ctx: Context,
  fileId: number,
  watermark: SiteWatermark | undefined,
): Promise<string[]> {
  const [file] = await ctx.db
    .select({
      renditions: photoFiles.renditions,
      photo: { status: photos.status, visibility: photos.visibility },
    })
    .from(photoFiles)
    .innerJoin(photos, eq(photos.fileId, photoFiles.id))
    .where(and(eq(photoFiles.id, fileId), ownerExists(photoFiles.userId)))
  if (!file || !isPublic(file.photo)) return []
  return renditionsToCopy(file, watermark !== undefined)
    .map(({ key }) => key)
    .filter((key) => ctx.storage.publicUrl(key) !== undefined)
}

/** @returns whether every wanted copy exists */
async function makeCopies(ctx: Context, fileId: number, wanted: string[]): Promise<boolean> {
  const found = await keysIn(ctx, publicFolder(fileId))
  const unwanted = found.filter((key) => !wanted.includes(key))
  if (unwanted.length > 0) await ctx.storage.delete(unwanted)
  const missing = wanted.filter((key) => !found.includes(key))
  const made = await Promise.all(missing.map((key) => ctx.storage.copy(hiddenKey(key), key)))
  return made.every(Boolean)
}

/**
 * Says in the file's row whether its copies can be used.
 * @returns false when other copies are wanted meanwhile
 */
async function settle(ctx: Context, fileId: number, made: string[], isComplete: boolean): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    // The lock makes changes of the photo wait, because they update the row too (`enqueueExposure`). Only a statement after
    // it sees the changes that it has waited for.
    const [file] = await tx.db
      .select({ exposed: photoFiles.exposed })
      .from(photoFiles)
      .where(eq(photoFiles.id, fileId))
      .for('update')
    const watermark = watermarkOf(await tx.services.settings.site.held(tx))
    const wanted = await wantedCopies(tx, fileId, watermark)
    if (wanted.join() !== made.join()) return false
    if (!isComplete) ctx.log.error({ fileId }, 'a rendition of a photo has no object: reprocess the file')
    const exposed = wanted.length > 0 && isComplete
    if (file && file.exposed !== exposed) {
      await tx.db.update(photoFiles).set({ exposed }).where(eq(photoFiles.id, fileId))
      tx.changed('photos')
    }
    return true
  })
}

/**
 * Deletes the objects of a file that is deleted. It may run several times.
 * @throws WaitsForBackup, after the copies that everybody can fetch are gone
 */
export async function deleteObjects(
  ctx: Context,
  { id, objectKey }: Pick<PhotoFile, 'id' | 'objectKey'>,
): Promise<void> {
  await ctx.storage.delete(await keysIn(ctx, publicFolder(id)))
  if (await backupRuns(ctx)) throw new WaitsForBackup()
  await ctx.storage.delete([objectKey, ...(await keysIn(ctx, hiddenFolder(id)))])
}

const keysIn = (ctx: Context, folder: string): Promise<string[]> =>
  Array.fromAsync(ctx.storage.list(folder), ({ key }) => key)
