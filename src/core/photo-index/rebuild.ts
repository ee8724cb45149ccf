import { type SQL, sql } from 'drizzle-orm'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { lockNamed, type Renamed, rowsOf } from './reindex.ts'
import { TERMS_VERSION } from './terms.ts'
import { writeIndexRows } from './write.ts'

/** Photos whose ids are in memory at once. */
const STEP = 10_000
/** Photos of one transaction. Requests of other clients wait while their terms are made, so these are few. */
const BATCH = 50

export interface Rebuilt {
  photos: number
  /** Rows that were not up to date. */
  changed: number
}

/**
 * Compares index rows with what they should be, and writes those that differ. Servers may change photos meanwhile.
 * @param options.which the rows of all photos, those of an older version of the terms, or those of a tag or category
 */
export async function rebuildPhotoIndex(
  ctx: Context,
  { which = 'all', signal }: { which?: 'all' | 'outdated' | Renamed; signal?: AbortSignal } = {},
): Promise<Rebuilt> {
  const rebuilt: Rebuilt = { photos: 0, changed: 0 }
  // A change that found this job waiting may not have committed yet.
  if (typeof which === 'object') await transaction(ctx, (tx) => lockNamed(tx, which))
  for (let last = 0; ; ) {
    // First all, then a step in order: with both at once the planner would walk all photos in order.
    const step = await ctx.db.execute<{ id: number }>(sql`
      with found as materialized (${rowsToCompare(which)})
      select id from found where id > ${last} order by id limit ${STEP}`)
    if (step.length === 0) return rebuilt
    const ids = step.map(({ id }) => id)
    for (let at = 0; at < ids.length; at += BATCH) {
      signal?.throwIfAborted()
      rebuilt.changed += await rebuildBatch(ctx, ids.slice(at, at + BATCH))
    }
    rebuilt.photos += ids.length
    last = ids.at(-1)!
  }
}

const rebuildBatch = (ctx: Context, ids: number[]): Promise<number> =>
  transaction(ctx, async (tx) => {
    const changed = await writeIndexRows(tx, ids)
    if (changed > 0) tx.changed('photos')
    return changed
  })

function rowsToCompare(which: 'all' | 'outdated' | Renamed): SQL {
  if (which === 'all') return sql`select id from photos`
  if (which === 'outdated')
    return sql`select photo_id as id from photo_index where terms_version < ${TERMS_VERSION}`
  return rowsOf(which)
}
