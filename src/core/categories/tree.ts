import { eq, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { categories } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { type Category, MAX_LEVELS } from './rows.ts'

/**
 * Makes changes of categories wait for each other: two moves at once could together make a cycle, and two creations take the
 * same slug or the last free place. Readers, and changes of photos, do not wait for this lock.
 */
export async function lockTree(tx: Tx): Promise<void> {
  await tx.db.execute(sql`select pg_advisory_xact_lock(hashtext('roost:categories'))`)
}

/**
 * Reads a category after `lockTree`, and holds off changes that put photos into it until the end of the transaction.
 * @throws AppError NOT_FOUND
 */
export async function lockCategory(tx: Tx, id: number): Promise<Category> {
  const [category] = await tx.db.select().from(categories).where(eq(categories.id, id)).for('update')
  if (!category) throw notFound('category', id)
  return category
}

/**
 * Locks the categories that have one of these photos as their cover, because the deletion of the photo takes the cover away.
 * Call it before the photos are locked.
 */
export async function lockCovered(tx: Tx, photoIds: readonly number[]): Promise<void> {
  const covered = await tx.db
    .select({ id: categories.id })
    .from(categories)
    .where(isOneOf(categories.coverPhotoId, photoIds))
    .orderBy(categories.id)
    .for('no key update')
  if (covered.length > 0) tx.changed('categories')
}

/** The place of a category, or of a new one, below a parent; null is the root. */
export interface Place {
  path: string
  level: number
}

/**
 * @param height levels of the tree below the category, 0 when it has no children
 * @throws AppError UNKNOWN_CATEGORY, CATEGORY_TOO_DEEP
 */
export async function placeBelow(tx: Tx, parentId: number | null, id: number, height = 0): Promise<Place> {
  const place = parentId === null ? { path: `${id}`, level: 0 } : below(await readParent(tx, parentId), id)
  if (place.level + height >= MAX_LEVELS)
    throw new AppError('CATEGORY_TOO_DEEP', { params: { limit: MAX_LEVELS } })
  return place
}

const below = (parent: Category, id: number): Place => ({
  path: `${parent.path}/${id}`,
  level: parent.level + 1,
})

async function readParent(tx: Tx, id: number): Promise<Category> {
  const [parent] = await tx.db.select().from(categories).where(eq(categories.id, id))
  if (!parent) throw new AppError('UNKNOWN_CATEGORY', { params: { category: id } })
  return parent
}

/**
 * Moves a category with all below it, by one statement. The caller indexes the photos.
 * @throws AppError UNKNOWN_CATEGORY, CATEGORY_CYCLE, CATEGORY_TOO_DEEP
 */
export async function moveSubtree(tx: Tx, moved: Category, parentId: number | null): Promise<void> {
  const inSubtree = sql`${moved.id} = any(string_to_array(${categories.path}, '/')::int[])`
  // In the order in which `assertCategories` locks them.
  const subtree = await tx.db
    .select({ id: categories.id, level: categories.level })
    .from(categories)
    .where(inSubtree)
    .orderBy(categories.id)
    .for('no key update')
  if (subtree.some(({ id }) => id === parentId)) throw new AppError('CATEGORY_CYCLE')
  const height = Math.max(...subtree.map(({ level }) => level)) - moved.level
  const place = await placeBelow(tx, parentId, moved.id, height)
  await tx.db
    .update(categories)
    .set({
      path: sql`${place.path}::text || substr(${categories.path}, ${moved.path.length + 1})`,
      level: sql`${categories.level} + ${place.level - moved.level}`,
      parentId: sql`case when ${categories.id} = ${moved.id} then ${parentId}::int else ${categories.parentId} end`,
      updatedAt: sql`now()`,
    })
    .where(inSubtree)
}
