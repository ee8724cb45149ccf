/** Changes of categories. Each but that of a cover holds `lockTree`, so that it can check first and write then. */
import { and, eq, ne, sql } from 'drizzle-orm'
import { categories, photoIndex, photos } from '../../db/schema/index.ts'
import { isSlug, slugOf, suffixed } from '../../util/slug.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import { type AuditedBy, audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid } from '../errors.ts'
import { reindexPhotosOf } from '../photo-index/reindex.ts'
import { visibleTo } from '../photo-index/visibility.ts'
import { transaction } from '../transaction.ts'
import { removeAllFromCategory } from './assign.ts'
import { categoryEvent } from './events.ts'
import { type Category, MAX_CATEGORIES } from './rows.ts'
import { lockCategory, lockTree, moveSubtree, placeBelow } from './tree.ts'

/** What a client may set of a category. A field that is undefined keeps its value, or gets its default. */
export interface CategoryInput {
  name?: string | undefined
  slug?: string | undefined
  description?: string | undefined
  parentId?: number | null | undefined
  color?: string | null | undefined
  icon?: string | null | undefined
  sortOrder?: number | undefined
  isActive?: boolean | undefined
  isFeatured?: boolean | undefined
  seoTitle?: string | null | undefined
  seoDescription?: string | null | undefined
}

/**
 * Creates a category. Without a slug it gets one made from the name.
 * @throws AppError UNKNOWN_CATEGORY, CATEGORY_SLUG_TAKEN, CATEGORY_TOO_DEEP, TOO_MANY_CATEGORIES, VALIDATION_FAILED
 */
export async function createCategory(
  ctx: Context,
  by: AuditedBy,
  { parentId = null, slug, ...input }: CategoryInput & { name: string },
): Promise<Category> {
  return transaction(ctx, async (tx) => {
    await lockTree(tx)
    if ((await tx.db.$count(categories)) >= MAX_CATEGORIES)
      throw new AppError('TOO_MANY_CATEGORIES', { params: { limit: MAX_CATEGORIES } })
    const [next] = await tx.db.execute<{ id: number }>(sql`select nextval('categories_id_seq')::int as id`)
    const { id } = next!
    const place = await placeBelow(tx, parentId, id)
    const ownSlug = slug === undefined ? await freeSlug(tx, input.name) : await checkSlug(tx, id, slug)
    const [category] = await tx.db
      .insert(categories)
      .values({ ...input, ...place, id, parentId, slug: ownSlug })
      .returning()
    tx.changed('categories')
    audit(tx, by, { action: 'category.created', target: id, details: { name: input.name } })
    await emitToHolders(tx, 'category', 'category.created', categoryEvent(category!))
    return category!
  })
}

/**
 * Changes a category; another `parentId` moves it with all below it.
 * @throws AppError NOT_FOUND, UNKNOWN_CATEGORY, CATEGORY_CYCLE, CATEGORY_SLUG_TAKEN, CATEGORY_TOO_DEEP, VALIDATION_FAILED
 */
export async function updateCategory(
  ctx: Context,
  by: AuditedBy,
  id: number,
  change: CategoryInput,
): Promise<void> {
  const { parentId, ...input } = change
  await transaction(ctx, async (tx) => {
    await lockTree(tx)
    const category = await lockCategory(tx, id)
    if (input.slug !== undefined) await checkSlug(tx, id, input.slug)
    const moves = parentId !== undefined && parentId !== category.parentId
    if (moves) await moveSubtree(tx, category, parentId)
    const [updated] = await tx.db
      .update(categories)
      .set({ ...input, updatedAt: sql`now()` })
      .where(eq(categories.id, id))
      .returning()
    await emitToHolders(tx, 'category', 'category.updated', categoryEvent(updated!))
    const renamed = input.name !== undefined && input.name !== category.name
    if (moves || renamed) await reindexPhotosOf(tx, { categoryId: id })
    tx.changed('categories')
    audit(tx, by, { action: 'category.updated', target: id, details: { fields: fieldsOf(change) } })
  })
}

/**
 * Deletes a category without children. Its photos stay; of those whose primary category it was, another category becomes the
 * primary one.
 * @throws AppError NOT_FOUND, CATEGORY_HAS_CHILDREN
 */
export async function deleteCategory(ctx: Context, by: AuditedBy, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    await lockTree(tx)
    const { name } = await lockCategory(tx, id)
    const [child] = await tx.db
      .select({ id: categories.id })
      .from(categories)
      .where(eq(categories.parentId, id))
      .limit(1)
    if (child) throw new AppError('CATEGORY_HAS_CHILDREN')
    await removeAllFromCategory(tx, id)
    await tx.db.delete(categories).where(eq(categories.id, id))
    await emitToHolders(tx, 'category', 'category.deleted', { categoryId: id })
    await reindexPhotosOf(tx, { categoryId: id })
    tx.changed('categories', 'photos')
    audit(tx, by, { action: 'category.deleted', target: id, details: { name } })
  })
}

/**
 * Makes a photo that the caller sees the cover of a category, from any category; null takes the cover away.
 * @throws AppError NOT_FOUND, UNKNOWN_PHOTO
 */
export async function setCover(ctx: Context, who: Actor, id: number, photoId: number | null): Promise<void> {
  await transaction(ctx, async (tx) => {
    await lockCategory(tx, id)
    if (photoId !== null) await assertSeesPhoto(tx, who, photoId)
    const [updated] = await tx.db
      .update(categories)
      .set({ coverPhotoId: photoId, updatedAt: sql`now()` })
      .where(eq(categories.id, id))
      .returning()
    await emitToHolders(tx, 'category', 'category.updated', categoryEvent(updated!))
    tx.changed('categories')
    audit(tx, who, { action: 'category.updated', target: id, details: { fields: ['cover_photo_id'] } })
  })
}

/** Holds off the deletion of the photo until the end of the transaction. */
async function assertSeesPhoto(tx: Tx, who: Principal, photoId: number): Promise<void> {
  const [photo] = await tx.db
    .select({ id: photos.id })
    .from(photos)
    .innerJoin(photoIndex, eq(photoIndex.photoId, photos.id))
    .where(and(eq(photos.id, photoId), visibleTo(who)))
    .for('key share', { of: photos })
  if (!photo) throw new AppError('UNKNOWN_PHOTO', { params: { photo: photoId } })
}

/** @throws AppError VALIDATION_FAILED, CATEGORY_SLUG_TAKEN */
async function checkSlug(tx: Tx, id: number, slug: string): Promise<string> {
  if (!isSlug(slug)) throw invalid('slug', 'format')
  if (await isTaken(tx, slug, id)) throw new AppError('CATEGORY_SLUG_TAKEN', { params: { slug } })
  return slug
}

async function freeSlug(tx: Tx, name: string): Promise<string> {
  const slug = slugOf(name) || 'category'
  return (await isTaken(tx, slug)) ? suffixed(slug) : slug
}

const isTaken = async (tx: Tx, slug: string, id = 0): Promise<boolean> =>
  (await tx.db.$count(categories, and(eq(categories.slug, slug), ne(categories.id, id)))) > 0
