/**
 * The categories of photos. A photo with categories always has one primary category among them. These functions neither
 * index the photos nor raise their versions: the caller has locked the photos and does both.
 */
import { sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import type { Tx } from '../context.ts'
import { lockPhotosOf } from '../photo-index/reindex.ts'

/**
 * Puts photos into categories that `assertCategories` has checked.
 * @param primary one of the categories, which becomes the primary one of the photos. Without it a photo keeps its own.
 * @returns the photos that have changed
 */
export async function addCategories(
  tx: Tx,
  photoIds: readonly number[],
  categoryIds: readonly number[],
  primary?: number,
): Promise<number[]> {
  if (photoIds.length === 0 || categoryIds.length === 0) return []
  const added = await changed(
    tx,
    sql`insert into photo_categories (photo_id, category_id)
      select photo_id, category_id from unnest(${intArray(photoIds)}) photo_id, unnest(${intArray(categoryIds)}) category_id
      on conflict do nothing returning photo_id as id`,
  )
  const promoted = primary === undefined ? [] : await makePrimary(tx, photoIds, primary)
  await choosePrimary(tx, added)
  return [...new Set([...added, ...promoted])]
}

/**
 * Takes photos out of categories. Of a photo that loses its primary category, the category that it has had for the longest
 * time becomes the primary one.
 * @returns the photos that have changed
 */
export async function removeCategories(
  tx: Tx,
  photoIds: readonly number[],
  categoryIds: readonly number[],
): Promise<number[]> {
  if (photoIds.length === 0 || categoryIds.length === 0) return []
  const removed = await changed(
    tx,
    sql`delete from photo_categories where photo_id = any(${intArray(photoIds)})
      and category_id = any(${intArray(categoryIds)}) returning photo_id as id`,
  )
  await choosePrimary(tx, removed)
  return removed
}

/** Takes all photos out of a category that is to be deleted and that the caller has locked. */
export async function removeAllFromCategory(tx: Tx, categoryId: number): Promise<void> {
  await lockPhotosOf(tx, { categoryId })
  const orphaned = await changed(
    tx,
    sql`with removed as (delete from photo_categories where category_id = ${categoryId} returning photo_id, is_primary)
      select photo_id as id from removed where is_primary`,
  )
  await choosePrimary(tx, orphaned)
}

/**
 * Gives a photo exactly these categories, which `assertCategories` has checked. The photo keeps its primary category if that
 * is among them; otherwise the first one becomes primary.
 * @returns whether something has changed
 */
export async function setCategories(
  tx: Tx,
  photoId: number,
  categoryIds: readonly number[],
): Promise<boolean> {
  const removed = await changed(
    tx,
    sql`delete from photo_categories where photo_id = ${photoId} and category_id <> all(${intArray(categoryIds)})
      returning photo_id as id`,
  )
  const [kept] = await changed(
    tx,
    sql`select photo_id as id from photo_categories where photo_id = ${photoId} and is_primary`,
  )
  const added = await addCategories(tx, [photoId], categoryIds, kept ? undefined : categoryIds[0])
  return removed.length > 0 || added.length > 0
}

async function makePrimary(tx: Tx, photoIds: readonly number[], categoryId: number): Promise<number[]> {
  // Two statements, because a photo may not have two primary categories even for the time of one.
  await tx.db.execute(sql`update photo_categories set is_primary = false
    where photo_id = any(${intArray(photoIds)}) and is_primary and category_id <> ${categoryId}`)
  return changed(
    tx,
    sql`update photo_categories set is_primary = true
      where photo_id = any(${intArray(photoIds)}) and category_id = ${categoryId} and not is_primary returning photo_id as id`,
  )
}

/** Photos of one statement, which may take ten seconds. */
const STEP = 10_000

async function choosePrimary(tx: Tx, photoIds: readonly number[]): Promise<void> {
  for (let at = 0; at < photoIds.length; at += STEP) {
    const ids = photoIds.slice(at, at + STEP)
    await tx.db.execute(sql`
      update photo_categories chosen set is_primary = true from (
        select distinct on (photo_id) photo_id, category_id from photo_categories
        where photo_id = any(${intArray(ids)}) order by photo_id, is_primary desc, created_at, category_id
      ) first
      where chosen.photo_id = first.photo_id and chosen.category_id = first.category_id and not chosen.is_primary`)
  }
}

/** Runs a statement that answers ids of photos. */
async function changed(tx: Tx, statement: ReturnType<typeof sql>): Promise<number[]> {
  const rows = (await tx.db.execute(statement)) as unknown as { id: number }[]
  return [...new Set(rows.map((row) => row.id))]
}
