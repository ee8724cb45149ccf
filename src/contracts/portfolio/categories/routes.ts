import { t } from 'elysia'
import { createCategory, deleteCategory, setCover, updateCategory } from '../../../core/categories/changes.ts'
import { assertSeesCategory, listCategories, readCategory } from '../../../core/categories/read.ts'
import type { Context } from '../../../core/context.ts'
import { changePhotos } from '../../../core/photos/batch.ts'
import { listPhotos } from '../../../core/photos/list.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import {
  type Body,
  type Call,
  chapter,
  type Params,
  type Query,
  type SignedCall,
} from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { originOf } from '../../../http/origin.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio, withLimit } from '../contract.ts'
import { Id } from '../ids.ts'
import { BatchResult, Photo } from '../photos/models.ts'
import { presentBatch, presentPhotos } from '../photos/presenters.ts'
import { SORTS } from '../photos/routes.ts'
import {
  AddedPhotos,
  CategoryChange,
  CategoryDetail,
  CategoryList,
  CategoryPhotosQuery,
  CategoryQuery,
  Cover,
  NewCategory,
  RemovedPhotos,
} from './models.ts'
import { presentCategory, presentCategoryDetail, presentStats, presentTree } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'categories')

export const categoryRoutes = (ctx: Context) =>
  routes(ctx, '/categories')
    .get(
      '',
      listAll,
      route({
        summary: 'List the categories with the numbers of their photos',
        access: ['anyone', 'user'],
        query: CategoryQuery,
        response: Envelope(CategoryList),
      }),
    )
    .post(
      '',
      idempotent(create),
      route({
        auth: 'category.create',
        summary: 'Create a category',
        body: NewCategory,
        example: {
          name: '自然风景',
          slug: 'nature-landscape',
          description: '自然风景摄影作品',
          parent_id: null,
          color: '#27ae60',
          icon: 'tree',
          sort_order: 2,
          is_featured: true,
          seo_title: '自然风景摄影作品集',
          seo_description: '欣赏美丽的自然风景摄影作品',
        },
        status: 201,
        response: Envelope(CategoryDetail),
        errors: ['UNKNOWN_CATEGORY', 'CATEGORY_SLUG_TAKEN', 'CATEGORY_TOO_DEEP', 'TOO_MANY_CATEGORIES'],
      }),
    )
    .get(
      '/:id',
      showOne,
      route({
        summary: 'Show a category with its ancestors and children',
        access: ['anyone', 'user'],
        params: Id,
        response: Envelope(CategoryDetail),
      }),
    )
    .put(
      '/:id',
      update,
      route({
        auth: 'category.update',
        summary: 'Change a category, or move it with all below it',
        params: Id,
        body: CategoryChange,
        example: { name: '自然风光', description: '更新后的描述', color: '#2ecc71' },
        response: Envelope(CategoryDetail),
        errors: ['UNKNOWN_CATEGORY', 'CATEGORY_CYCLE', 'CATEGORY_SLUG_TAKEN', 'CATEGORY_TOO_DEEP'],
      }),
    )
    .delete(
      '/:id',
      remove,
      route({
        auth: 'category.delete',
        summary: 'Delete a category without children; its photos stay',
        params: Id,
        status: 204,
        errors: ['CATEGORY_HAS_CHILDREN'],
      }),
    )
    .put(
      '/:id/cover',
      changeCover,
      route({
        auth: 'category.update',
        summary: 'Set or remove the cover of a category',
        params: Id,
        body: Cover,
        example: { photo_id: 15 },
        response: Envelope(CategoryDetail),
        errors: ['UNKNOWN_PHOTO'],
      }),
    )
    .get(
      '/:id/photos',
      listPhotosOf,
      route({
        summary: 'List the photos of a category and of all below it',
        access: ['anyone', 'user'],
        params: Id,
        query: CategoryPhotosQuery,
        response: PageEnvelope(t.Array(Photo)),
      }),
    )
    .post(
      '/:id/photos',
      addPhotos,
      route({
        auth: 'photo.update',
        summary: 'Put photos into a category; one that fails does not hold up the others',
        id: 'addPhotosToCategory',
        params: Id,
        body: AddedPhotos,
        example: { photo_ids: [1, 2, 3], is_primary: true },
        response: Envelope(BatchResult),
        errors: ['UNKNOWN_CATEGORY'],
      }),
    )
    .delete(
      '/:id/photos',
      removePhotos,
      route({
        auth: 'photo.update',
        summary: 'Take photos out of a category; one that fails does not hold up the others',
        id: 'removePhotosFromCategory',
        params: Id,
        body: RemovedPhotos,
        example: { photo_ids: [1, 2, 3] },
        response: Envelope(BatchResult),
      }),
    )

async function listAll({ ctx, query, request }: Call & Query<typeof CategoryQuery>) {
  const viewer = await optionalPrincipal(ctx, request)
  const categories = await listCategories(ctx, viewer, originOf(ctx, request))
  return envelope(request, {
    categories: categories.map(presentCategory),
    ...(query.include_tree && { tree: presentTree(categories) }),
    ...(query.include_stats && { stats: presentStats(categories) }),
  })
}

async function showOne({ ctx, params, request }: Call & Params<typeof Id>) {
  const viewer = await optionalPrincipal(ctx, request)
  const category = await readCategory(ctx, viewer, originOf(ctx, request), params.id)
  return envelope(request, presentCategoryDetail(category))
}

async function create({ ctx, principal, body, request }: SignedCall & Body<typeof NewCategory>) {
  const { id } = await createCategory(ctx, principal, { ...inputOf(body), name: body.name })
  const category = await readCategory(ctx, principal, originOf(ctx, request), id)
  return envelope(request, presentCategoryDetail(category), 201)
}

async function update({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof CategoryChange>) {
  await updateCategory(ctx, principal, params.id, inputOf(body))
  const category = await readCategory(ctx, principal, originOf(ctx, request), params.id)
  return envelope(request, presentCategoryDetail(category))
}

async function remove({ ctx, principal, params }: SignedCall & Params<typeof Id>) {
  await deleteCategory(ctx, principal, params.id)
}

async function changeCover({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof Cover>) {
  await setCover(ctx, principal, params.id, body.photo_id)
  const category = await readCategory(ctx, principal, originOf(ctx, request), params.id)
  return envelope(request, presentCategoryDetail(category))
}

async function listPhotosOf({
  ctx,
  params,
  query: asked,
  request,
}: Call & Params<typeof Id> & Query<typeof CategoryPhotosQuery>) {
  const query = await withLimit(ctx, asked)
  const viewer = await optionalPrincipal(ctx, request)
  await assertSeesCategory(ctx, viewer, params.id)
  const { photos, total } = await listPhotos(ctx, viewer, {
    page: query.page,
    limit: query.limit,
    category: params.id,
    sortBy: SORTS[query.sort_by],
    sortOrder: query.sort_order,
  })
  return pageEnvelope(request, await presentPhotos({ ctx, request, viewer }, photos), total, query)
}

async function addPhotos({
  ctx,
  principal,
  params: { id },
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof AddedPhotos>) {
  await assertSeesCategory(ctx, principal, id)
  const result = await changePhotos(ctx, principal, body.photo_ids, {
    action: 'addCategories',
    categories: [id],
    primary: body.is_primary ? id : undefined,
  })
  return envelope(request, presentBatch(request, 'add_categories', result))
}

async function removePhotos({
  ctx,
  principal,
  params: { id },
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof RemovedPhotos>) {
  await assertSeesCategory(ctx, principal, id)
  const change = { action: 'removeCategories' as const, categories: [id] }
  const result = await changePhotos(ctx, principal, body.photo_ids, change)
  return envelope(request, presentBatch(request, 'remove_categories', result))
}

const inputOf = (body: typeof CategoryChange.static) => ({
  name: body.name,
  slug: body.slug,
  description: body.description === null ? '' : body.description,
  parentId: body.parent_id,
  color: body.color,
  icon: body.icon,
  sortOrder: body.sort_order,
  isActive: body.is_active,
  isFeatured: body.is_featured,
  seoTitle: body.seo_title,
  seoDescription: body.seo_description,
})
