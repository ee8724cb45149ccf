import { asc, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
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
  const category = (await readCategories(ctx, viewer, origin, [id])).get(id)
  if (!category) throw notFound('category', id)
  return category
}

/** The same of several, by id, in as many queries as of one. Those that the viewer does not see are absent. */
export async function readCategories(
  ctx: Context,
  viewer: Viewer,
  origin: string,
  ids: readonly number[],
): Promise<Map<number, CategoryDetail>> {
  const places = await findPlaces(ctx, viewer, ids)
  const [counts, shown, address] = await Promise.all([
    categoryCounts(ctx, viewer),
    view(
      ctx,
      viewer,
      places.map(({ category }) => category),
    ),
    thumbAddresses(ctx, origin, viewer),
  ])
  const details = places.map(({ ancestors, children }, n) => ({
    ...addressCover(shown[n]!, address),
    ancestors,
    children: children.map((child) => ({ ...child, ...counts(child.id) })),
  }))
  return new Map(details.map((detail) => [detail.id, detail]))
}

/**
 * Checks that this viewer sees a category.
 * @throws AppError NOT_FOUND
 */
export async function assertSeesCategory(ctx: Context, viewer: Viewer, id: number): Promise<void> {
  if ((await findPlaces(ctx, viewer, [id])).length === 0) throw notFound('category', id)
}

/** Where categories stand in the tree. Those that the viewer does not see are left out. */
async function findPlaces(ctx: Context, viewer: Viewer, ids: readonly number[]) {
  const wanted = intArray(ids)
  const found = await ctx.db
    .select()
    .from(categories)
    .where(
      sql`${categories.parentId} = any(${wanted}) or ${categories.id} in (
        select unnest(string_to_array(c.path, '/'))::int from ${categories} c where c.id = any(${wanted}))`,
    )
    .orderBy(...ORDER)
  const byId = new Map(found.map((one) => [one.id, one]))
  const all = seesInactive(viewer)
  return [...new Set(ids)].flatMap((id) => {
    const category = byId.get(id)
    if (!category) return []
    const line = idsOf(category.path).map((above) => byId.get(above)!)
    if (!all && line.some(({ isActive }) => !isActive)) return []
    const ancestors = line.slice(0, -1)
    const children = found.filter(({ parentId, isActive }) => parentId === id && (all || isActive))
    return [{ category, ancestors, children }]
  })
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
