import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { TERMS_VERSION } from './terms.ts'
import { indexPhotos } from './write.ts'

/** Photos of one transaction. It holds their locks for less than a second. */
const BATCH = 200

export interface Rebuilt {
  photos: number
  /** Rows that were not up to date. */
  changed: number
}

/**
 * Compares the index row of every photo with what it should be, and writes those that differ. Servers may change photos
 * meanwhile.
 * @param options.outdated only rows of an older version of the terms
 */
export async function rebuildPhotoIndex(
  ctx: Context,
  { outdated = false, signal }: { outdated?: boolean; signal?: AbortSignal } = {},
): Promise<Rebuilt> {
  const rebuilt: Rebuilt = { photos: 0, changed: 0 }
  const rows = outdated
    ? sql`select photo_id as id from photo_index where terms_version < ${TERMS_VERSION}`
    : sql`select id from photos`
  for (let last = 0; ; ) {
    signal?.throwIfAborted()
    const batch = await ctx.db.execute<{ id: number }>(
      sql`select id from (${rows}) r where id > ${last} order by id limit ${BATCH}`,
    )
    if (batch.length === 0) return rebuilt
    const ids = batch.map(({ id }) => id)
    rebuilt.changed += await transaction(ctx, (tx) => indexPhotos(tx, ids))
    rebuilt.photos += ids.length
    last = ids.at(-1)!
  }
}
