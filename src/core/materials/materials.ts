import { and, eq, ne, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { materialLikes, materials, users } from '../../db/schema/index.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { auditForeign } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { lockOwn } from './access.ts'
import { announce } from './announce.ts'
import { putAwayHandle } from './job-handles.ts'
import type { SortBy } from './ranking.ts'
import { lockMaterial, type Material, type MaterialType } from './rows.ts'

/** A material with the public data of its uploader, and whether the viewer likes it. */
export interface MaterialView extends Material {
  uploaderName: string
  uploaderAvatar: string | null
  isLiked: boolean
}

const RELATED = 5

/** `ids` is an array literal. `viewer` is null for an anonymous client. */
const materialsById = prepared((db) =>
  db
    .select({
      material: materials,
      uploaderName: users.displayName,
      uploaderAvatar: users.avatarUrl,
      isLiked: sql<boolean>`${sql.placeholder('viewer')}::int is not null and exists (
        select 1 from ${materialLikes} where ${materialLikes.materialId} = ${materials.id}
          and ${materialLikes.userId} = ${sql.placeholder('viewer')})`,
    })
    .from(materials)
    .innerJoin(users, eq(users.id, materials.userId))
    .where(sql`${materials.id} = any(${sql.placeholder('ids')}::int[]) and ${materials.status} = 'active'`)
    .prepare('materials_by_id'),
)

/** The active ones of these materials, by id. */
async function viewMaterials(
  ctx: Context,
  viewer: Principal | undefined,
  ids: number[],
): Promise<Map<number, MaterialView>> {
  const values = { ids: `{${ids.join(',')}}`, viewer: viewer?.userId ?? null }
  const rows = await materialsById(ctx.db).execute(values)
  return new Map(rows.map(({ material, ...rest }) => [material.id, { ...material, ...rest }]))
}

/** One page of the active materials. */
export async function listMaterials(
  ctx: Context,
  viewer: Principal | undefined,
  query: {
    page: number
    pageSize: number
    sortBy: SortBy
    sortOrder: 'asc' | 'desc'
    type: MaterialType | undefined
  },
): Promise<{ materials: MaterialView[]; total: number }> {
  const { ids, total } = await ctx.services.ranking.page(query)
  if (ids.length === 0) return { materials: [], total }
  const byId = await viewMaterials(ctx, viewer, ids)
  const page = ids.flatMap((id) => byId.get(id) ?? [])
  if (query.sortBy !== 'createdAt') {
    // The counts are newer than the order of the ranking, so the page is sorted by the counts that it shows.
    const count = query.sortBy
    const sign = query.sortOrder === 'asc' ? 1 : -1
    page.sort((a, b) => sign * (a[count] - b[count] || a.id - b.id))
  }
  return { materials: page, total }
}

export interface RelatedMaterial {
  id: number
  title: string
  type: MaterialType
  thumbnailPath: string | null
  viewCount: number
  likeCount: number
}

const countView = prepared((db) =>
  db
    .update(materials)
    .set({ viewCount: sql`${materials.viewCount} + 1` })
    .where(and(eq(materials.id, sql.placeholder('id')), eq(materials.status, 'active')))
    .returning({ type: materials.type })
    .prepare('count_view'),
)

/** The most viewed active materials of a type, without the material `id`. */
const mostViewedOfType = prepared((db) =>
  db
    .select({
      id: materials.id,
      title: materials.title,
      type: materials.type,
      thumbnailPath: materials.thumbnailPath,
      viewCount: materials.viewCount,
      likeCount: materials.likeCount,
    })
    .from(materials)
    .where(
      and(
        eq(materials.status, 'active'),
        eq(materials.type, sql.placeholder('type')),
        ne(materials.id, sql.placeholder('id')),
      ),
    )
    // `nulls last` as in the index, which otherwise has another order.
    .orderBy(sql`${materials.viewCount} desc nulls last`, sql`${materials.id} desc nulls last`)
    .limit(RELATED)
    .prepare('most_viewed_of_type'),
)

/**
 * Reads one material with others of its type, and counts it as a view.
 * @throws AppError NOT_FOUND, also for a hidden material
 */
export async function readMaterial(
  ctx: Context,
  viewer: Principal | undefined,
  id: number,
): Promise<MaterialView & { related: RelatedMaterial[] }> {
  const [counted] = await countView(ctx.db).execute({ id })
  if (!counted) throw notFound('material', id)
  const [viewed, related] = await Promise.all([
    viewMaterials(ctx, viewer, [id]),
    mostViewedOfType(ctx.db).execute({ type: counted.type, id }),
  ])
  const material = viewed.get(id)
  if (!material) throw notFound('material', id)
  return { ...material, related }
}

/**
 * Likes a material, or takes the like back. The row lock makes two calls at the same time count as two.
 * @throws AppError NOT_FOUND, MATERIAL_HIDDEN
 */
export async function toggleLike(
  ctx: Context,
  userId: number,
  id: number,
): Promise<{ isLiked: boolean; likeCount: number }> {
  return transaction(ctx, async (tx) => {
    const material = await lockMaterial(tx, id)
    if (material.status === 'hidden') throw new AppError('MATERIAL_HIDDEN')
    if (material.status !== 'active') throw notFound('material', id)
    const likeOfUser = and(eq(materialLikes.materialId, id), eq(materialLikes.userId, userId))
    const taken = await tx.db.delete(materialLikes).where(likeOfUser).returning()
    const isLiked = taken.length === 0
    if (isLiked) await tx.db.insert(materialLikes).values({ materialId: id, userId })
    const [updated] = await tx.db
      .update(materials)
      .set({ likeCount: sql`${materials.likeCount} + ${isLiked ? 1 : -1}` })
      .where(eq(materials.id, id))
      .returning({ likeCount: materials.likeCount })
    return { isLiked, likeCount: updated!.likeCount }
  })
}

/**
 * Hides a material; its file is kept for 30 days.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED, ALREADY_DELETED
 */
export async function hideMaterial(ctx: Context, who: Actor, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const material = await lockOwn(tx, who, id)
    if (material.hiddenAt) throw new AppError('ALREADY_DELETED')
    if (material.status === 'processing') throw notFound('material', id)
    await tx.db
      .update(materials)
      .set({ status: 'hidden', hiddenAt: sql`now()`, updatedAt: sql`now()` })
      .where(eq(materials.id, id))
    tx.emit(material.userId, 'material.hidden', { materialId: id })
    const details = { title: material.title }
    auditForeign(tx, who, { action: 'material.hidden', target: id, subject: material.userId, details })
    await ctx.queue.enqueue(tx, putAwayHandle, { materialId: id })
    announce(tx, material, false)
  })
}
