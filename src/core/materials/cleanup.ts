import { and, asc, eq, gt, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { type AuditedBy, auditAlone } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import {
  CLEANUP_BATCH,
  type CleanupReport,
  type CleanupStep,
  orphansStep,
  runCleanup,
} from '../files/cleanup.ts'
import { shownKey } from '../files/keys.ts'
import { LOCK_MS, sweepAll, unlessLocked } from '../sweeps.ts'
import { backupRuns } from '../system/backup-lease.ts'
import { MATERIAL_PREFIXES, materialOfThumbnail, thumbnailKey } from './keys.ts'
import { deleteObjects, objectsOf } from './objects.ts'
import type { Material } from './rows.ts'
import { giveUpUpload } from './upload-steps.ts'

const KEEP_HIDDEN_DAYS = 30

/**
 * Deletes records and objects that nothing uses. It may run at any time and on several servers at once, because it leaves
 * everything younger than `maxAgeMinutes`, and an upload that is still arriving is younger.
 */
export async function cleanUp(
  ctx: Context,
  options: { processing: boolean; orphans: boolean; maxAgeMinutes: number },
): Promise<CleanupReport> {
  const before = new Date(Date.now() - options.maxAgeMinutes * 60_000)
  const processing: CleanupStep[] = [
    ['stale uploads', (report) => removeStale(ctx, options.maxAgeMinutes, report)],
    [
      'unfinished objects',
      async (report) => {
        report.files += await ctx.storage.abortUnfinished(before)
      },
    ],
  ]
  const orphans: CleanupStep[] = [
    ['hidden materials', (report) => removeHidden(ctx, report)],
    ...MATERIAL_PREFIXES.map((prefix) => orphansStep(ctx, prefix, before, unreferenced)),
  ]
  return runCleanup(ctx, [...(options.processing ? processing : []), ...(options.orphans ? orphans : [])])
}

/** The same, for an administrator. */
export async function cleanUpNow(
  ctx: Context,
  by: AuditedBy,
  options: Parameters<typeof cleanUp>[1],
): Promise<CleanupReport> {
  await auditAlone(ctx, by, { action: 'cleanup.started', details: options })
  return cleanUp(ctx, options)
}

/** Deletes records of uploads whose server or client has disappeared. */
async function removeStale(ctx: Context, maxAgeMinutes: number, report: CleanupReport): Promise<void> {
  const stale = sql`${materials.updatedAt} < now() - make_interval(mins => ${maxAgeMinutes})`
  const processing = eq(materials.status, 'processing')
  for await (const rows of batches(ctx, and(processing, stale))) {
    for (const material of rows) {
      // An upload may have continued or ended since its page was read.
      const givenUp = await unlessLocked(() =>
        giveUpUpload(ctx, material, 'UPLOAD_FAILED', { only: stale, lockMs: LOCK_MS }),
      )
      if (givenUp?.result) report.records++
    }
  }
}

/** Materials page by page. Locked rows are left out, so that cleanup does not wait for their transactions. */
async function* batches(ctx: Context, which: SQL | undefined): AsyncGenerator<Material[]> {
  for (let last = 0; ; ) {
    const next = and(which, gt(materials.id, last))
    const rows = await ctx.db
      .select()
      .from(materials)
      .where(next)
      .orderBy(asc(materials.id))
      .limit(CLEANUP_BATCH)
      .for('update', { skipLocked: true })
    if (rows.length === 0) return
    last = rows.at(-1)!.id
    yield rows
  }
}

/**
 * Deletes the objects of materials that were hidden at least 30 days ago. First the record says so, because a backup that
 * begins meanwhile would look for the objects. Orphans' cleanup deletes what is left after a failure.
 */
async function removeHidden(ctx: Context, report: CleanupReport): Promise<void> {
  const due = and(
    isNull(materials.removedAt),
    sql`${materials.hiddenAt} < now() - make_interval(days => ${KEEP_HIDDEN_DAYS})`,
  )
  for await (const rows of batches(ctx, due)) {
    const removed: Material[] = []
    const ids = rows.map(({ id }) => id)
    report.records += await sweepAll(ctx, ids, async (tx, some) => {
      const gone = await tx.db
        .update(materials)
        .set({ removedAt: sql`now()` })
        .where(and(due, inArray(materials.id, some)))
        .returning()
      tx.afterCommit(() => void removed.push(...gone))
    })
    if (removed.length === 0 || (await backupRuns(ctx))) continue
    await deleteObjects(ctx, removed)
    report.files += removed.flatMap(objectsOf).length
  }
}

/**
 * Those of the keys that no material refers to, and none is about to: a run of a job may be storing a thumbnail that was
 * stored before and not recorded.
 */
async function unreferenced(ctx: Context, keys: string[]): Promise<string[]> {
  const paths = keys.map(shownKey)
  const isExpected = and(
    inArray(
      materials.id,
      paths.flatMap((path) => materialOfThumbnail(path) ?? []),
    ),
    eq(materials.status, 'active'),
    eq(materials.thumbnailStatus, 'pending'),
  )
  const { id, userId, filePath, thumbnailPath } = materials
  const rows = await ctx.db
    .select({ id, userId, filePath, thumbnailPath })
    .from(materials)
    .where(
      and(
        isNull(materials.removedAt),
        or(inArray(filePath, paths), inArray(thumbnailPath, paths), isExpected),
      ),
    )
  const used = new Set(rows.flatMap((row) => [row.filePath, row.thumbnailPath ?? thumbnailKey(row)]))
  return keys.filter((key) => !used.has(shownKey(key)))
}
