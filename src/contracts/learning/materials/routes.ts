import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import {
  hideMaterial,
  listMaterials,
  MATERIAL_TYPES,
  type MaterialType,
  readMaterial,
  toggleLike,
} from '../../../core/materials/materials.ts'
import { guard, optionalPrincipal } from '../../../http/authenticate.ts'
import { choice } from '../../../http/choice.ts'
import { Page, pageOf, pageQuery } from '../../../http/pagination.ts'
import { learning } from '../contract.ts'
import { Like, Material, MaterialDetail, MaterialId as params } from '../models.ts'
import { presentMaterial, presentMaterialDetail, urlsFor } from '../presenters.ts'

const Query = t.Object({
  ...pageQuery,
  sort_by: choice(['created_at', 'view_count', 'like_count'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
  // Not a choice: an unknown type has an error code of its own.
  material_type: t.Optional(t.String({ maxLength: 50 })),
})

function readType(type: string | undefined): MaterialType | undefined {
  if (type === undefined) return undefined
  const known = MATERIAL_TYPES.find((known) => known === type)
  if (!known) throw new AppError('UNKNOWN_MATERIAL_TYPE')
  return known
}

export const materialRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/materials' })
    .use(guard(ctx))
    .get(
      '',
      async ({ query, request }) => {
        const { materials, total } = await listMaterials(ctx, await optionalPrincipal(ctx, request), {
          page: query.page,
          pageSize: query.page_size,
          sortBy: query.sort_by,
          sortOrder: query.sort_order,
          type: readType(query.material_type),
        })
        const urlOf = urlsFor(ctx, request)
        return pageOf(
          materials.map((material) => presentMaterial(urlOf, material)),
          total,
          query,
        )
      },
      {
        query: Query,
        detail: learning.describe({
          summary: 'List the active materials',
          tag: 'materials',
          access: ['anyone', 'user'],
          response: Page(Material),
          errors: ['VALIDATION_FAILED', 'UNKNOWN_MATERIAL_TYPE'],
        }),
      },
    )
    .get(
      '/:material_id',
      async ({ params, request }) =>
        presentMaterialDetail(
          urlsFor(ctx, request),
          await readMaterial(ctx, await optionalPrincipal(ctx, request), params.material_id),
        ),
      {
        params,
        detail: learning.describe({
          summary: 'Read a material, which counts as a view',
          tag: 'materials',
          access: ['anyone', 'user'],
          response: MaterialDetail,
          errors: ['NOT_FOUND'],
        }),
      },
    )
    .delete(
      '/:material_id',
      async ({ principal, params, set }) => {
        await hideMaterial(ctx, principal, params.material_id)
        set.status = 204
      },
      {
        auth: true,
        params,
        detail: learning.describe({
          summary: 'Delete your material; its file is kept for 30 days',
          tag: 'materials',
          status: 204,
          errors: ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'NOT_FOUND', 'ALREADY_DELETED'],
        }),
      },
    )
    .post(
      '/:material_id/like',
      async ({ principal, params }) => {
        const { isLiked, likeCount } = await toggleLike(ctx, principal.userId, params.material_id)
        return { is_liked: isLiked, like_count: likeCount }
      },
      {
        auth: true,
        params,
        detail: learning.describe({
          summary: 'Like a material, or take the like back',
          tag: 'materials',
          response: Like,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND', 'MATERIAL_HIDDEN'],
        }),
      },
    )
