/** Brings files up to date with the site's watermark: docs/contracts/portfolio.md, "Watermark". */
import { and, desc, eq, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { siteSettings } from '../system/site-settings.ts'
import { transaction } from '../transaction.ts'
import { enqueueExposure } from './exposure.ts'
import { watermarkHandle } from './job-handles.ts'
import { RENDITIONS } from './keys.ts'
import { deleteUnused, picturesOf, storeRenditions } from './processing.ts'
import type { PhotoFile, Rendition } from './rows.ts'
import { cleanOf, isUpToDate, type SiteWatermark, watermarkOf } from './watermark.ts'
import { readRun, storeRun, type WatermarkRun } from './watermark-runs.ts'

/** How long one job works on a run. The next job goes on. */
const SLICE_MS = 60_000
/** Files whose copies are renewed by one job. */
const BATCH = 200

interface Attempt {
  attempt: number
  signal: AbortSignal
}

/** Goes on with a run until it has come to all files, a newer run begins, or other servers may take over. */
export async function continueRun(ctx: Context, id: string, tried: Attempt): Promise<void> {
  const until = performance.now() + SLICE_MS
  let run = await currentRun(ctx, id)
  if (run?.total === null) {
    await renewCopies(ctx, tried.signal)
    run = await advance(ctx, run, { total: await countOutdated(ctx) })
  }
  while (run && performance.now() < until) {
    tried.signal.throwIfAborted()
    const watermark = watermarkOf(await siteSettings(ctx))
    const file = await nextOutdated(ctx, watermark, run.cursor)
    if (!file) return void (await advance(ctx, run, { status: 'completed' }))
    run = await advance(ctx, run, past(run, file, await bringUpToDate(ctx, file, tried)))
  }
  if (run) await enqueueRun(ctx, id)
}

/** A run whose job has failed in all its tries goes on, without the file at which it stands. */
export async function skipFile(ctx: Context, id: string): Promise<void> {
  const run = await currentRun(ctx, id)
  if (!run) return
  const watermark = watermarkOf(await siteSettings(ctx))
  const file = run.total === null ? undefined : await nextOutdated(ctx, watermark, run.cursor)
  if (file) ctx.log.error({ file: file.id }, 'a photo gets no watermark: every try failed')
  await transaction(ctx, async (tx) => {
    if (file) await advance(tx, run, past(run, file, false))
    await enqueueRun(tx, id)
  })
}

const past = (run: WatermarkRun, file: PhotoFile, isDone: boolean): Partial<WatermarkRun> => ({
  cursor: file.id,
  done: run.done + 1,
  failed: run.failed + (isDone ? 0 : 1),
  // A file may have been uploaded or have failed since the files were counted.
  total: Math.max(run.total!, run.done + 1),
})

const enqueueRun = (ctx: Context, id: string): Promise<unknown> =>
  transaction(ctx, (tx) => tx.queue.enqueue(tx, watermarkHandle, { run: id }))

async function currentRun(ctx: Context, id: string): Promise<WatermarkRun | undefined> {
  const run = await readRun(ctx)
  return run.run === id && run.status === 'running' ? run : undefined
}

/** @returns undefined when a newer run has begun */
async function advance(
  ctx: Context,
  run: WatermarkRun,
  change: Partial<WatermarkRun>,
): Promise<WatermarkRun | undefined> {
  const next = { ...run, ...change }
  return (await transaction(ctx, (tx) => storeRun(tx, next))) ? next : undefined
}

/** One file whose processing ended while the watermark changed. */
export async function bringOneUpToDate(ctx: Context, fileId: number, tried: Attempt): Promise<void> {
  const [file] = await ctx.db.select().from(photoFiles).where(eq(photoFiles.id, fileId))
  if (file) await bringUpToDate(ctx, file, tried)
}

/**
 * @returns false when the renditions cannot be made: then visitors see the placeholder, or the earlier watermark
 * @throws the error of the machine or of the storage, when another try may succeed
 */
async function bringUpToDate(ctx: Context, file: PhotoFile, tried: Attempt): Promise<boolean> {
  const settings = await siteSettings(ctx)
  const watermark = watermarkOf(settings)
  if (isUpToDate(file, watermark)) return true
  if (!watermark) {
    await replace(ctx, file, cleanOf(file), undefined)
    return true
  }
  try {
    await using local = await ctx.storage.openLocal(file.objectKey, { signal: tried.signal })
    const only = cleanOf(file).map(({ name }) => name)
    const paths = { input: local.path, output: local.scratch }
    const job = { ...paths, ...picturesOf(settings), only, onlyMarked: true }
    const result = await ctx.imaging.photo(job, tried.signal)
    const made = await storeRenditions(ctx, file, result, { watermark, seed: crypto.randomUUID() })
    await replace(ctx, file, made, watermark)
    return true
  } catch (error) {
    if (!ctx.imaging.isFinal(error, tried.attempt) && !isLost(error)) throw error
    ctx.log.warn({ err: error, file: file.id }, 'a photo could not get its watermark')
    return false
  }
}

/** Whether the uploaded file no longer exists. */
const isLost = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'StorageError' &&
  (error as { code?: unknown }).code === 'NOT_FOUND'

/**
 * Gives the file these renditions, unless the watermark has changed meanwhile (then a newer run comes to the file), or the file
 * has: it is deleted, another job was quicker, or its next processing has begun, which follows the watermark itself.
 */
async function replace(
  ctx: Context,
  file: PhotoFile,
  renditions: Rendition[],
  watermark: SiteWatermark | undefined,
): Promise<void> {
  const isReplaced = await transaction(ctx, async (tx: Tx) => {
    const current = watermarkOf(await tx.services.settings.site.held(tx))
    if (current?.id !== watermark?.id) return false
    const rows = await tx.db
      .update(photoFiles)
      .set({ renditions, updatedAt: sql`now()` })
      .where(
        and(
          eq(photoFiles.id, file.id),
          eq(photoFiles.renditions, file.renditions),
          inArray(photoFiles.status, ['completed', 'failed']),
        ),
      )
      .returning({ id: photoFiles.id })
    if (rows.length > 0) await enqueueExposure(tx, [file.id])
    return rows.length > 0
  })
  await deleteUnused(ctx, file, renditions, isReplaced ? renditions : file.renditions)
}

/** Files that a run has to change. Those that wait or are in processing follow the watermark at their end. */
function outdated(watermark: Pick<SiteWatermark, 'id'> | undefined): SQL {
  const ended = inArray(photoFiles.status, ['completed', 'failed'])
  if (!watermark) return sql`${ended} and ${hasRendition(sql`one ? 'watermark'`)}`
  const has = sql`jsonb_build_array(jsonb_build_object('name', one->'name', 'watermark', ${watermark.id}::text))`
  return sql`${ended} and ${hasRendition(sql`not one ? 'watermark' and not ${photoFiles.renditions} @> ${has}`)}`
}

const hasRendition = (condition: SQL): SQL =>
  sql`exists (select from jsonb_array_elements(${photoFiles.renditions}) one where ${condition})`

/**
 * Where clients fetch files from a bucket: takes away the copies without a watermark at once, or brings them back, before the
 * slow work on the files begins.
 */
async function renewCopies(ctx: Context, signal: AbortSignal): Promise<void> {
  if (ctx.storage.publicUrl(`${RENDITIONS}1/display.jpg`) === undefined) return
  const isOn = watermarkOf(await siteSettings(ctx)) !== undefined
  const isWrong = isOn
    ? sql`${photoFiles.exposed}`
    : sql`not ${photoFiles.exposed} and exists (select from photo_index i join photos p on p.id = i.photo_id
        where p.file_id = ${photoFiles.id} and i.is_public)`
  const isUnmarked = sql`not ${hasRendition(sql`one ? 'watermark'`)}`
  for (let last: number | undefined; ; ) {
    signal.throwIfAborted()
    const rows = await ctx.db
      .select({ id: photoFiles.id })
      .from(photoFiles)
      .where(and(last === undefined ? undefined : lt(photoFiles.id, last), isWrong, isUnmarked))
      .orderBy(desc(photoFiles.id))
      .limit(BATCH)
    if (rows.length === 0) return
    const ids = rows.map(({ id }) => id)
    await transaction(ctx, (tx) => enqueueExposure(tx, ids))
    last = ids.at(-1)!
  }
}

async function countOutdated(ctx: Context): Promise<number> {
  const watermark = watermarkOf(await siteSettings(ctx))
  return ctx.db.$count(photoFiles, outdated(watermark))
}

async function nextOutdated(
  ctx: Context,
  watermark: SiteWatermark | undefined,
  cursor: number | null,
): Promise<PhotoFile | undefined> {
  const [file] = await ctx.db
    .select()
    .from(photoFiles)
    .where(and(cursor === null ? undefined : lt(photoFiles.id, cursor), outdated(watermark)))
    .orderBy(desc(photoFiles.id))
    .limit(1)
  return file
}
