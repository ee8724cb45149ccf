import { sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import type { Tx } from '../context.ts'
import { indexPhotos } from './write.ts'

const BATCH = 1000

/** What was renamed, moved or deleted. */
export type Renamed = { tagId: number } | { categoryIds: number[] }

/**
 * Brings the index rows up to date of all photos that have this tag, or are in one of these categories or below it. Call it
 * after the rename, move or deletion, in the same transaction. Changes that put the tag or a category on another photo
 * commit before, and are seen, or wait until the transaction ends.
 */
export async function reindexPhotosOf(tx: Tx, renamed: Renamed): Promise<void> {
  const found =
    'tagId' in renamed
      ? sql`tag_ids @> array[${renamed.tagId}::int]`
      : sql`category_tree && ${intArray(renamed.categoryIds)}`
  await lockNamed(tx, renamed)
  for (let last = 0; ; ) {
    // First all, then a batch in order: with both in one step the planner would walk all photos in order.
    const rows = await tx.db.execute<{ id: number }>(sql`
      with found as materialized (select photo_id as id from photo_index where ${found})
      select id from found where id > ${last} order by id limit ${BATCH}`)
    if (rows.length === 0) return
    const ids = rows.map(({ id }) => id)
    await indexPhotos(tx, ids)
    last = ids.at(-1)!
  }
}

/** The locks conflict with those of a change that puts the tag or a category on a photo: `resolveTags`, `assertCategories`. */
async function lockNamed(tx: Tx, renamed: Renamed): Promise<void> {
  await tx.db.execute(
    'tagId' in renamed
      ? sql`select from tags where id = ${renamed.tagId} for update`
      : sql`select from categories where string_to_array(path, '/')::int[] && ${intArray(renamed.categoryIds)}
          order by id for no key update`,
  )
}
