import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { withoutQuery } from '../../util/logger.ts'
import type { Core } from '../context.ts'
import { deleteObjects, HIDDEN, objectsOf } from './objects.ts'
import { giveUpUpload } from './uploads.ts'

export interface CleanupReport {
  records: number
  files: number
  /** What could not be cleaned, in words. */
  errors: string[]
}

const BATCH = 200
const KEEP_HIDDEN_DAYS = 30
/** Objects of uploads, by what they begin with. Nothing else in the bucket is touched. */
const PREFIXES = ['materials/', 'thumbnails/', HIDDEN]

/**
 * Removes what nobody needs any more. Safe at any time and on several servers: nothing younger than `maxAgeMinutes` is
 * touched, and what an upload is still writing is younger.
 */
export async function cleanUp(
  ctx: Core,
  options: { processing: boolean; orphans: boolean; maxAgeMinutes: number },
): Promise<CleanupReport> {
  const report: CleanupReport = { records: 0, files: 0, errors: [] }
  const step = async (what: string, run: () => Promise<void>) => {
    try {
      await run()
    } catch (error) {
      ctx.log.error({ err: error, step: what }, 'a step of the clean-up failed')
      report.errors.push(`${what}: ${(withoutQuery(error) as Error).message}`)
    }
  }
  const before = new Date(Date.now() - options.maxAgeMinutes * 60_000)
  if (options.processing) {
    await step('stale uploads', () => removeStale(ctx, options.maxAgeMinutes, report))
    await step('unfinished objects', async () => {
      report.files += await ctx.storage.abortUnfinished(before)
    })
  }
  if (options.orphans) {
    await step('hidden materials', () => removeHidden(ctx, report))
    for (const prefix of PREFIXES)
      await step(`orphans in ${prefix}`, () => removeOrphans(ctx, prefix, before, report))
  }
  return report
}

/** Records of uploads whose server or client is gone. */
async function removeStale(ctx: Core, maxAgeMinutes: number, report: CleanupReport): Promise<void> {
  const stale = sql`${materials.updatedAt} < now() - make_interval(mins => ${maxAgeMinutes})`
  const processing = eq(materials.status, 'processing')
  for (;;) {
    const rows = await ctx.db.select().from(materials).where(and(processing, stale)).limit(BATCH)
    for (const material of rows) {
      // Many are read at once: by its turn, one may have gone on or ended.
      if (await giveUpUpload(ctx, material, 'UPLOAD_FAILED', stale)) report.records++
    }
    if (rows.length < BATCH) return
  }
}

/** The files of materials that were hidden 30 days ago. */
async function removeHidden(ctx: Core, report: CleanupReport): Promise<void> {
  const due = and(
    isNull(materials.removedAt),
    sql`${materials.hiddenAt} < now() - make_interval(days => ${KEEP_HIDDEN_DAYS})`,
  )
  for (;;) {
    const rows = await ctx.db.select().from(materials).where(due).limit(BATCH)
    if (rows.length === 0) return
    await deleteObjects(ctx, rows)
    await ctx.db
      .update(materials)
      .set({ removedAt: sql`now()` })
      .where(
        inArray(
          materials.id,
          rows.map(({ id }) => id),
        ),
      )
    report.records += rows.length
    report.files += rows.flatMap(objectsOf).length
  }
}

/** Objects that no material refers to. */
async function removeOrphans(ctx: Core, prefix: string, before: Date, report: CleanupReport): Promise<void> {
  let batch: string[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const orphans = await unreferenced(ctx, batch)
    batch = []
    await ctx.storage.delete(orphans)
    report.files += orphans.length
  }
  for await (const object of ctx.storage.list(prefix)) {
    if (object.lastModified >= before) continue
    batch.push(object.key)
    if (batch.length === BATCH) await flush()
  }
  await flush()
}

async function unreferenced(ctx: Core, keys: string[]): Promise<string[]> {
  const paths = keys.map(pathOf)
  const rows = await ctx.db
    .select({ filePath: materials.filePath, thumbnailPath: materials.thumbnailPath })
    .from(materials)
    .where(
      and(
        isNull(materials.removedAt),
        or(inArray(materials.filePath, paths), inArray(materials.thumbnailPath, paths)),
      ),
    )
  const used = new Set(rows.flatMap(({ filePath, thumbnailPath }) => [filePath, thumbnailPath]))
  return keys.filter((key) => !used.has(pathOf(key)))
}

const pathOf = (key: string): string => (key.startsWith(HIDDEN) ? key.slice(HIDDEN.length) : key)
