/** What the server makes of a photo's file: docs/contracts/portfolio.md, "Processing". */
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import { chunkOf } from '../../util/chunk-of.ts'
import type { Context, Tx } from '../context.ts'
import { hiddenKey } from '../files/keys.ts'
import { emitPhotoEvent } from '../photo-index/watchers.ts'
import { indexPhotos } from '../photo-index/write.ts'
import { backupRuns } from '../system/backup-lease.ts'
import { type SiteSettings, siteSettings } from '../system/site-settings.ts'
import { transaction } from '../transaction.ts'
import { enqueueExposure } from './exposure.ts'
import { isUsed } from './files.ts'
import type { ProcessingJob } from './job-handles.ts'
import { renditionKey } from './keys.ts'
import { type PhotoFile, RENDITION_NAMES, type Rendition } from './rows.ts'
import { clearPhotoUpload, publishState } from './states.ts'
import { type SiteWatermark, watermarkOf } from './watermark.ts'
import { enqueueUnlessUpToDate } from './watermark-runs.ts'

const [SMALL, MEDIUM, LARGE] = RENDITION_NAMES

type PhotoJob = Parameters<Context['imaging']['photo']>[0]
type PhotoResult = Awaited<ReturnType<Context['imaging']['photo']>>

/**
 * Makes the renditions of a file, all or `only` these, and stores what the file says about the photo. It may run again after
 * a crash; the result is the same, and there is one event.
 * @throws the error of the machine or of the storage, when another try may succeed
 */
export async function processFile(
  ctx: Context,
  { fileId, generation, only }: ProcessingJob,
  { attempt, signal }: { attempt: number; signal: AbortSignal },
): Promise<void> {
  const file = await beginProcessing(ctx, { id: fileId, generation })
  if (!file) return
  publishState(ctx, file)
  const started = performance.now()
  const local = await ctx.storage.openLocal(file.objectKey, { signal })
  const steps = stepWriter(ctx, file)
  try {
    const settings = await siteSettings(ctx)
    const paths = { input: local.path, output: local.scratch, onStep: steps.begin }
    const names = only ?? namesToMake(settings)
    const result = await ctx.imaging.photo({ ...paths, ...picturesOf(settings), only: names }, signal)
    await steps.settled()
    const made = await storeRenditions(ctx, file, result, {
      watermark: watermarkOf(settings),
      seed: String(file.generation),
    })
    await complete(ctx, file, result, made)
    ctx.services.processingTimes.add(performance.now() - started)
  } catch (error) {
    await steps.settled()
    if (!ctx.imaging.isFinal(error, attempt)) throw error
    await fail(ctx, isNewestRun(file), (error as { code: string }).code)
  } finally {
    await local.dispose()
  }
}

/** @returns undefined when the processing has ended */
async function beginProcessing(ctx: Context, which: Processing): Promise<PhotoFile | undefined> {
  return transaction(ctx, async (tx) => {
    const [file] = await tx.db
      .update(photoFiles)
      .set({ status: 'processing', step: 'exif_extraction', failure: null, processingStartedAt: sql`now()` })
      .where(isUnended(which))
      .returning()
    if (file && (await isUsed(tx, file.id))) tx.changed('photos')
    return file
  })
}

/** The names of the renditions that the site makes of every photo. */
export const namesToMake = ({ upload }: SiteSettings): Rendition['name'][] =>
  RENDITION_NAMES.filter((name) => upload.generateThumbnails || !name.startsWith('thumb_'))

type Processing = Pick<PhotoFile, 'id' | 'generation'>

/**
 * Whether this processing of the file has not ended. The queue may run a job again, or give it up, after the file has been
 * processed and waits for the next processing.
 */
const isUnended = ({ id, generation }: Processing) =>
  and(
    eq(photoFiles.id, id),
    eq(photoFiles.generation, generation),
    inArray(photoFiles.status, ['uploaded', 'processing']),
  )

/** Whether no later run of the job has begun. A run that has lost its job to another server may not know it yet. */
const isNewestRun = (file: PhotoFile) =>
  and(isUnended(file), eq(photoFiles.processingStartedAt, file.processingStartedAt!))

/** What the settings of the site ask of renditions. */
export function picturesOf(settings: SiteSettings): Omit<PhotoJob, 'input' | 'output'> {
  const { image, display } = settings
  const medium = display.thumbnailSize
  const watermark = watermarkOf(settings)
  return {
    thumbs: { [SMALL]: Math.ceil(medium / 2), [MEDIUM]: medium, [LARGE]: medium * 2 },
    display: image,
    ...(watermark && { watermark }),
  }
}

/** Writes each step to the file's row when it begins, in order. */
function stepWriter(ctx: Context, file: PhotoFile) {
  let written = Promise.resolve()
  const write = async (step: NonNullable<PhotoFile['step']>) => {
    const rows = await ctx.db
      .update(photoFiles)
      .set({ step })
      .where(isNewestRun(file))
      .returning({ id: photoFiles.id })
    if (rows.length > 0) publishState(ctx, { ...file, step })
  }
  return {
    begin(step: NonNullable<PhotoFile['step']>): void {
      written = written
        .then(() => write(step))
        .catch((error) => ctx.log.warn({ err: error, file: file.id }, 'a step of a photo was not stored'))
    },
    settled: () => written,
  }
}

/**
 * Stores the renditions at keys that nothing refers to yet.
 * @param seed of the keys: the same content gets the same keys again only with the same seed
 * @returns all renditions that the file has then
 */
export async function storeRenditions(
  ctx: Context,
  file: PhotoFile,
  { renditions }: PhotoResult,
  { watermark, seed }: { watermark: SiteWatermark | undefined; seed: string },
): Promise<Rendition[]> {
  const made: Rendition[] = []
  for (const { name, marked, path, width, height, size } of renditions) {
    const bytes = await Bun.file(path).bytes()
    const hash = new Bun.CryptoHasher('sha256').update(`${seed} `).update(bytes)
    const mark = hash.digest('hex').slice(0, 32)
    const key = renditionKey(file.id, { name, mark, extension: name === 'webp' ? 'webp' : 'jpg' })
    await ctx.storage.write(hiddenKey(key), chunkOf(bytes))
    made.push({ name, key, width, height, size, ...(marked && watermark && { watermark: watermark.id }) })
  }
  const isReplaced = (old: Rendition) =>
    made.some(({ name, watermark }) => name === old.name && !watermark === !old.watermark)
  return [...file.renditions.filter((old) => !isReplaced(old)), ...made]
}

async function complete(
  ctx: Context,
  file: PhotoFile,
  result: PhotoResult,
  renditions: Rendition[],
): Promise<void> {
  const { width, height, placeholder, exif, place, takenOffset } = result
  const takenAt = result.takenAt === null ? null : new Date(result.takenAt)
  const change = async (tx: Tx): Promise<'completed' | 'ended' | 'deleted'> => {
    // Another run of the same job may have completed the file, or a user may have deleted it.
    const [row] = await tx.db
      .update(photoFiles)
      .set({
        status: 'completed',
        step: null,
        failure: null,
        renditions,
        generation: nextGeneration,
        width,
        height,
        placeholder,
        exif,
        place,
        takenAt,
        takenOffset,
        processedAt: sql`now()`,
        updatedAt: sql`now()`,
      })
      .where(isUnended(file))
      .returning()
    if (!row) {
      const [left] = await tx.db
        .select({ id: photoFiles.id })
        .from(photoFiles)
        .where(eq(photoFiles.id, file.id))
      return left ? 'ended' : 'deleted'
    }
    await announce(tx, row, { status: 'completed', reason: null, takenAt })
    return 'completed'
  }
  const outcome = await transaction(ctx, change)
  if (outcome === 'ended') return
  const current = outcome === 'completed' ? renditions : []
  await deleteUnused(ctx, file, renditions, current)
}

/**
 * Deletes those of the file's earlier renditions and of those just `made` that are not `kept`. While a backup runs, it leaves
 * them to cleanup. No later processing of the file uses their keys again.
 */
export async function deleteUnused(
  ctx: Context,
  file: PhotoFile,
  made: Rendition[],
  kept: Rendition[],
): Promise<void> {
  const unused = [...file.renditions, ...made]
    .map(({ key }) => key)
    .filter((key) => !kept.some((one) => one.key === key))
  if (await backupRuns(ctx)) return
  await ctx.storage
    .delete(unused.map(hiddenKey))
    .catch((error) => ctx.log.warn({ err: error, file: file.id }, 'old renditions are left to cleanup'))
}

const nextGeneration = sql`${photoFiles.generation} + 1`

/** Ends a processing without success. Renditions that the file has already stay. */
export const failProcessing = (
  ctx: Context,
  { fileId, generation }: ProcessingJob,
  reason: string,
): Promise<void> => fail(ctx, isUnended({ id: fileId, generation }), reason)

async function fail(ctx: Context, which: SQL | undefined, reason: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    const [file] = await tx.db
      .update(photoFiles)
      .set({
        status: 'failed',
        failure: reason,
        generation: nextGeneration,
        processedAt: sql`now()`,
        updatedAt: sql`now()`,
      })
      .where(which)
      .returning()
    if (file) await announce(tx, file, { status: 'failed', reason, takenAt: null })
  })
}

/**
 * Brings the photo of the file up to date, if there is one, and tells its owner and administrators. The caller has locked the
 * file: every change locks files before photos (`lockPhotos`).
 */
async function announce(
  tx: Tx,
  file: PhotoFile,
  { takenAt, ...outcome }: { status: 'completed' | 'failed'; reason: string | null; takenAt: Date | null },
): Promise<void> {
  const { id, userId } = file
  // Not another version: somebody who edits the photo meanwhile has not been overtaken (If-Match).
  const [photo] = await tx.db
    .update(photos)
    .set({ takenAt: sql`coalesce(${photos.takenAt}, ${takenAt?.toISOString() ?? null}::timestamptz)` })
    .where(eq(photos.fileId, id))
    .returning({ id: photos.id })
  if (photo) {
    await indexPhotos(tx, [photo.id])
    if (outcome.status === 'completed') await enqueueExposure(tx, [id])
  }
  await emitPhotoEvent(tx, userId, 'photo.processed', { fileId: id, photoId: photo?.id ?? null, ...outcome })
  // The watermark may have changed meanwhile. The job that follows the change leaves out what is being processed.
  await enqueueUnlessUpToDate(tx, file)
  clearPhotoUpload(tx, id)
}
