import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { photoFiles } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import {
  CLEANUP_BATCH,
  type CleanupReport,
  type CleanupStep,
  orphansStep,
  runCleanup,
} from '../files/cleanup.ts'
import { hiddenKey, shownKey } from '../files/keys.ts'
import { LOCK_MS, unlessLocked } from '../sweeps.ts'
import { fileIdOf, ORIGINALS, RENDITIONS } from './keys.ts'
import { giveUpUpload } from './upload-steps.ts'

/**
 * Deletes uploads of photos that lost their server, and objects that no photo file refers to. It may run at any time and on
 * several servers at once, because it leaves everything younger than `maxAgeMinutes`. Complete files stay, with a photo or
 * without.
 */
export function cleanUpPhotoFiles(
  ctx: Context,
  { orphans, maxAgeMinutes }: { orphans: boolean; maxAgeMinutes: number },
): Promise<CleanupReport> {
  const before = new Date(Date.now() - maxAgeMinutes * 60_000)
  return runCleanup(ctx, [
    ['stale uploads', (report) => removeStale(ctx, maxAgeMinutes, report)],
    ...(orphans ? orphanSteps(ctx, before) : []),
  ])
}

const orphanSteps = (ctx: Context, before: Date): CleanupStep[] => [
  orphansStep(ctx, ORIGINALS, before, unreferencedOriginals),
  orphansStep(ctx, RENDITIONS, before, unreferencedRenditions),
  orphansStep(ctx, hiddenKey(RENDITIONS), before, unreferencedRenditions),
]

async function removeStale(ctx: Context, maxAgeMinutes: number, report: CleanupReport): Promise<void> {
  const stale = sql`${photoFiles.updatedAt} < now() - make_interval(mins => ${maxAgeMinutes})`
  for (let last = 0; ; ) {
    const rows = await ctx.db
      .select()
      .from(photoFiles)
      .where(and(eq(photoFiles.status, 'receiving'), stale, sql`${photoFiles.id} > ${last}`))
      .orderBy(asc(photoFiles.id))
      .limit(CLEANUP_BATCH)
    if (rows.length === 0) return
    last = rows.at(-1)!.id
    for (const file of rows) {
      // An upload may have continued or ended since its page was read.
      const givenUp = await unlessLocked(() =>
        giveUpUpload(ctx, file, 'UPLOAD_FAILED', { only: stale, lockMs: LOCK_MS }),
      )
      if (givenUp?.result) report.records++
    }
  }
}

async function unreferencedOriginals(ctx: Context, keys: string[]): Promise<string[]> {
  const rows = await ctx.db
    .select({ key: photoFiles.objectKey })
    .from(photoFiles)
    .where(inArray(photoFiles.objectKey, keys))
  const used = new Set(rows.map(({ key }) => key))
  return keys.filter((key) => !used.has(key))
}

/**
 * Nothing of a file that waits or is in processing: a run of its job may be about to refer to the object. Any other object
 * stays unreferenced, because no later processing uses its key again.
 */
async function unreferencedRenditions(ctx: Context, keys: string[]): Promise<string[]> {
  const ids = new Set(keys.flatMap((key) => fileIdOf(shownKey(key)) ?? []))
  const rows = await ctx.db
    .select({ id: photoFiles.id, status: photoFiles.status, renditions: photoFiles.renditions })
    .from(photoFiles)
    .where(inArray(photoFiles.id, [...ids]))
  const files = new Map(rows.map((row) => [row.id, row]))
  return keys.filter((key) => {
    const shown = shownKey(key)
    const file = files.get(fileIdOf(shown) ?? 0)
    if (!file) return true
    const isRunning = file.status === 'uploaded' || file.status === 'processing'
    return !isRunning && !file.renditions.some((rendition) => rendition.key === shown)
  })
}
