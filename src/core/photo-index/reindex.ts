import { type SQL, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { photoIndex } from '../../db/schema/index.ts'
import { jobHandle } from '../../jobs/job.ts'
import type { Tx } from '../context.ts'
import { idsInTree } from './category-tree.ts'
import { TERMS_VERSION } from './terms.ts'
import { indexPhotos } from './write.ts'

/** Photos whose rows are made anew in the transaction of the change. */
const AT_ONCE = 200

/** A tag or a category that was renamed, moved or deleted. */
export type Renamed = { tagId: number } | { categoryId: number }

/** The version is that of the terms. Without `of` the job makes the rows of older terms anew. */
export const rebuildHandle = jobHandle<{ version: number; of?: Renamed }>('rebuild_photo_index', {
  timeoutSeconds: 3600,
  retries: 20,
  backoff: { seconds: 10, maxSeconds: 600 },
})

/**
 * Brings the index rows up to date of all photos that have this tag, or are in this category or below it. Call it after the
 * rename, move or deletion, in the same transaction. When more than 200 photos have it, a job makes their rows afterwards; until
 * then the search finds these photos by the old names. All else is right at once: what reads the rows asks the tags and
 * categories themselves, and the id of a deleted one names nothing.
 */
export async function reindexPhotosOf(tx: Tx, renamed: Renamed): Promise<void> {
  await lockNamed(tx, renamed)
  const rows = await tx.db.execute<{ id: number }>(sql`${rowsOf(renamed)} limit ${AT_ONCE + 1}`)
  if (rows.length <= AT_ONCE) {
    const ids = rows.map(({ id }) => id)
    await indexPhotos(tx, ids)
    return
  }
  // A job that waits already will see this change too: it waits for the locks that this transaction holds.
  const singletonKey = Object.entries(renamed).flat().join('_')
  await tx.queue.enqueue(tx, rebuildHandle, { version: TERMS_VERSION, of: renamed }, { singletonKey })
}

/** The rows of photos with this tag or category. A row that is not up to date yet still has a deleted one. */
export function rowsOf(renamed: Renamed): SQL {
  const has =
    'tagId' in renamed
      ? sql`${photoIndex.tagIds} @> ${intArray([renamed.tagId])}`
      : sql`${photoIndex.categoryIds} && (${idsInTree(renamed.categoryId)} || ${renamed.categoryId}::int)`
  return sql`select photo_id as id from ${photoIndex} where ${has}`
}

/**
 * Locks in the order of their ids the photos that a deletion takes a tag or a category from. Call it before the rows of
 * `photo_tags` or `photo_categories` are deleted, because every change of a photo locks the photo first.
 */
export async function lockPhotosOf(tx: Tx, gone: Renamed): Promise<void> {
  const ids =
    'tagId' in gone
      ? sql`select photo_id from photo_tags where tag_id = ${gone.tagId}`
      : sql`select photo_id from photo_categories where category_id = ${gone.categoryId}`
  await tx.db.execute(sql`
    with locked as (select from photos where id in (${ids}) order by id for no key update) select count(*) from locked`)
}

/**
 * The locks conflict with those of a change that puts the tag or a category on a photo (`resolveTags`, `assertCategories`), so
 * that its row is either there or made after this transaction.
 */
export async function lockNamed(tx: Tx, renamed: Renamed): Promise<void> {
  await tx.db.execute(
    'tagId' in renamed
      ? sql`select from tags where id = ${renamed.tagId} for update`
      : sql`select from categories where id = any(${idsInTree(renamed.categoryId)}) order by id for no key update`,
  )
}
