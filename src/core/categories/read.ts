import { asc, eq, sql } from 'drizzle-orm'
import { categories } from '../../db/schema/index.ts'
import { may } from '../accounts/permissions.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { cached } from '../generations/cached.ts'
import { type KeptThumb, keptThumbs, type PhotoThumb, thumbAddresses } from '../photo-files/thumbs.ts'
import { scopeOf, type Viewer } from '../photo-index/visibility.ts'
import { type CategoryCounts, categoryCounts } from './counts.ts'
import { type Category, idsOf } from './rows.ts'

/** A category as one viewer sees it. */
export interface CategoryView extends Category, CategoryCounts {
  /** Null when there is none that the viewer may see. */
  cover: PhotoThumb | null
}

export interface CategoryDetail extends CategoryView {
  /** From the root to the parent. */
  ancestors: Category[]
  children: (Category & CategoryCounts)[]
}

/** Inactive categories, with all below them, are shown only to those who may change them. */
const seesInactive = (viewer: Viewer): boolean => viewer !== undefined && may(viewer.role, 'category.update')

const ORDER = [asc(categories.sortOrder), asc(categories.name), asc(categories.id)]

/**
 * All categories that this viewer sees, in their order.
 * @param origin the address of this server as the client knows it
 */
export async function listCategories(ctx: Context, viewer: Viewer, origin: string): Promise<CategoryView[]> {
  const key = ['list', scopeOf(viewer), seesInactive(viewer)] as const
  const shown = await cached(ctx, { of: ['categories', 'photos'], key }, () => findCategories(ctx, viewer))
  const address = await thumbAddresses(ctx, origin, viewer)
  return shown.map((category) => addressCover(category, address))
}

async function findCategories(ctx: Context, viewer: Viewer): Promise<KeptView[]> {
  const all = await ctx.db
    .select()
    .from(categories)
    .orderBy(...ORDER)
  return view(ctx, viewer, seesInactive(viewer) ? all : withoutInactive(all))
}

function withoutInactive(all: Category[]): Category[] {
  const active = new Set(all.filter(({ isActive }) => isActive).map(({ id }) => id))
  return all.filter(({ path }) => idsOf(path).every((id) => active.has(id)))
}

/**
 * One category with its neighbours in the tree.
 * @throws AppError NOT_FOUND
 */
export async function readCategory(
  ctx: Context,
  viewer: Viewer,
  origin: string,
  id: number,
): Promise<CategoryDetail> {
  const { category, ancestors, children } = await findCategory(ctx, viewer, id)
  const [counts, [shown]] = await Promise.all([categoryCounts(ctx, viewer), view(ctx, viewer, [category])])
  return {
    ...addressCover(shown!, await thumbAddresses(ctx, origin, viewer)),
    ancestors,
    children: children.map((child) => ({ ...child, ...counts(child.id) })),
  }
}

/**
 * Checks that this viewer sees a category.
 * @throws AppError NOT_FOUND
 */
export async function assertSeesCategory(ctx: Context, viewer: Viewer, id: number): Promise<void> {
  await findCategory(ctx, viewer, id)
}

async function findCategory(ctx: Context, viewer: Viewer, id: number) {
  const self = sql`(select ${categories.path} from ${categories} where ${eq(categories.id, id)})`
  const found = await ctx.db
    .select()
    .from(categories)
    .where(
      sql`${categories.parentId} = ${id} or ${categories.id} = any(string_to_array(${self}, '/')::int[])`,
    )
    .orderBy(...ORDER)
  const category = found.find((one) => one.id === id)
  if (!category) throw notFound('category', id)
  const line = idsOf(category.path).map((above) => found.find((one) => one.id === above)!)
  const all = seesInactive(viewer)
  if (!all && line.some(({ isActive }) => !isActive)) throw notFound('category', id)
  return {
    category,
    ancestors: line.slice(0, -1),
    children: found.filter(({ parentId, isActive }) => parentId === id && (all || isActive)),
  }
}

/** A view without the address of its cover. */
interface KeptView extends Omit<CategoryView, 'cover'> {
  cover: KeptThumb | null
}

const addressCover = (
  { cover, ...category }: KeptView,
  address: (thumb: KeptThumb) => PhotoThumb,
): CategoryView => ({ ...category, cover: cover && address(cover) })

async function view(ctx: Context, viewer: Viewer, shown: Category[]): Promise<KeptView[]> {
  const covers = shown.flatMap(({ coverPhotoId }) => coverPhotoId ?? [])
  const [counts, thumbs] = await Promise.all([categoryCounts(ctx, viewer), keptThumbs(ctx, viewer, covers)])
  const coverOf = new Map(thumbs.map((thumb) => [thumb.id, thumb]))
  return shown.map((category) => ({
    ...category,
    ...counts(category.id),
    cover: (category.coverPhotoId !== null && coverOf.get(category.coverPhotoId)) || null,
  }))
}
