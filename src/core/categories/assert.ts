import { inArray } from 'drizzle-orm'
import { categories } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'

/**
 * Checks that these categories exist, before photos are put into them. Its locks make the deletion or move of one of them
 * wait for the end of the change, so that the deletion or move also sees the new photos. Call it before the photos are locked.
 * @throws AppError UNKNOWN_CATEGORY
 */
export async function assertCategories(tx: Tx, ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const rows = await tx.db
    .select({ id: categories.id })
    .from(categories)
    .where(inArray(categories.id, ids))
    .orderBy(categories.id)
    .for('share')
  const known = new Set(rows.map(({ id }) => id))
  const unknown = ids.find((id) => !known.has(id))
  if (unknown !== undefined) throw new AppError('UNKNOWN_CATEGORY', { params: { category: unknown } })
}
