/** The mechanism of every domain's cleanup of stored files. */
import { messageOf } from '../../util/without-query.ts'
import type { Context } from '../context.ts'
import { backupRuns } from '../system/backup-lease.ts'

export interface CleanupReport {
  records: number
  files: number
  /** Each step that failed, with its error message. */
  errors: string[]
}

export type CleanupStep = readonly [what: string, run: (report: CleanupReport) => Promise<void>]

/** Rows or keys that one statement handles. */
export const CLEANUP_BATCH = 200

/** Runs the steps one after the other. One that fails does not hold up the others. */
export async function runCleanup(ctx: Context, steps: CleanupStep[]): Promise<CleanupReport> {
  const report: CleanupReport = { records: 0, files: 0, errors: [] }
  for (const [what, run] of steps) {
    try {
      await run(report)
    } catch (error) {
      ctx.log.error({ err: error, step: what }, 'a step of cleanup failed')
      report.errors.push(`${what}: ${messageOf(error)}`)
    }
  }
  return report
}

/**
 * A step that deletes objects that no record refers to. While a backup runs, it leaves them.
 * @param before leaves younger objects: the record of such an object may not be committed yet
 * @param unreferenced those of some keys that nothing refers to
 */
export const orphansStep = (
  ctx: Context,
  prefix: string,
  before: Date,
  unreferenced: (ctx: Context, keys: string[]) => Promise<string[]>,
): CleanupStep => [
  `orphans in ${prefix}`,
  async (report) => {
    let batch: string[] = []
    const flush = async () => {
      if (batch.length === 0) return
      const orphans = await unreferenced(ctx, batch)
      batch = []
      if (orphans.length === 0 || (await backupRuns(ctx))) return
      await ctx.storage.delete(orphans)
      report.files += orphans.length
    }
    for await (const object of ctx.storage.list(prefix)) {
      if (object.lastModified >= before) continue
      batch.push(object.key)
      if (batch.length === CLEANUP_BATCH) await flush()
    }
    await flush()
  },
]
