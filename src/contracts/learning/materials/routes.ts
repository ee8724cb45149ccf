import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { hideMaterial, listMaterials, readMaterial, toggleLike } from '../../../core/materials/materials.ts'
import { MATERIAL_TYPES, type MaterialType } from '../../../core/materials/rows.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { type Call, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Page, pageOf } from '../../../http/models.ts'
import { learning } from '../contract.ts'
import { Like, Material, MaterialDetail, MaterialId, MaterialQuery } from './models.ts'
import { presentMaterial, presentMaterialDetail, urlsFor } from './presenters.ts'

const { routes, route } = chapter(learning, 'materials')

const SORT_BY = { created_at: 'createdAt', view_count: 'viewCount', like_count: 'likeCount' } as const

export const materialRoutes = (ctx: Context) =>
  routes(ctx, '/materials')
    .get(
      '',
      listAll,
      route({
        summary: 'List the active materials',
        access: ['anyone', 'user'],
        query: MaterialQuery,
        response: Page(Material),
        errors: ['UNKNOWN_MATERIAL_TYPE'],
      }),
    )
    .get(
      '/:material_id',
      showOne,
      route({
        summary: 'Read a material, which counts as a view',
        access: ['anyone', 'user'],
        params: MaterialId,
        response: MaterialDetail,
      }),
    )
    .delete(
      '/:material_id',
      hideOne,
      route({
        auth: true,
        summary: 'Delete your material; its file is kept for 30 days',
        params: MaterialId,
        status: 204,
        errors: ['PERMISSION_DENIED', 'ALREADY_DELETED'],
      }),
    )
    .post(
      '/:material_id/like',
      idempotent(changeLike),
      route({
        auth: true,
        summary: 'Like a material, or take the like back',
        params: MaterialId,
        response: Like,
        errors: ['MATERIAL_HIDDEN'],
      }),
    )

async function listAll({ ctx, query, request }: Call & Query<typeof MaterialQuery>) {
  const { materials, total } = await listMaterials(ctx, await optionalPrincipal(ctx, request), {
    page: query.page,
    pageSize: query.page_size,
    sortBy: SORT_BY[query.sort_by],
    sortOrder: query.sort_order,
    type: readType(query.material_type),
  })
  const urlOf = urlsFor(ctx, request)
  return pageOf(
    materials.map((material) => presentMaterial(urlOf, material)),
    total,
    query,
  )
}

function readType(type: string | undefined): MaterialType | undefined {
  if (type === undefined) return undefined
  const known = MATERIAL_TYPES.find((known) => known === type)
  if (!known) throw new AppError('UNKNOWN_MATERIAL_TYPE')
  return known
}

async function showOne({ ctx, params, request }: Call & Params<typeof MaterialId>) {
  const viewer = await optionalPrincipal(ctx, request)
  return presentMaterialDetail(urlsFor(ctx, request), await readMaterial(ctx, viewer, params.material_id))
}

async function hideOne({ ctx, principal, params }: SignedCall & Params<typeof MaterialId>) {
  await hideMaterial(ctx, principal, params.material_id)
}

async function changeLike({ ctx, principal, params }: SignedCall & Params<typeof MaterialId>): Promise<Like> {
  const { isLiked, likeCount } = await toggleLike(ctx, principal.userId, params.material_id)
  return { is_liked: isLiked, like_count: likeCount }
}
