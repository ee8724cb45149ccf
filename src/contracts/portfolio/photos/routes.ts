import { t } from 'elysia'
import { assertMay } from '../../../core/accounts/permissions.ts'
import type { Context } from '../../../core/context.ts'
import { seesWhole } from '../../../core/photo-index/visibility.ts'
import { changePhotos } from '../../../core/photos/batch.ts'
import { createPhoto } from '../../../core/photos/create.ts'
import { deletePhoto } from '../../../core/photos/delete.ts'
import { listPhotos } from '../../../core/photos/list.ts'
import { readPhoto } from '../../../core/photos/read.ts'
import { updatePhoto } from '../../../core/photos/update.ts'
import type { PhotoView } from '../../../core/photos/view.ts'
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
import { forThisReader, isKnown } from '../conditional.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio, withLimit } from '../contract.ts'
import { Id, readFileId } from '../ids.ts'
import { etagOf, expectedPhoto } from './etags.ts'
import { readChange, readInput } from './inputs.ts'
import { Batch, BatchResult, NewPhoto, Photo, PhotoChange, PhotoDetail, PhotoQuery } from './models.ts'
import { presentBatch, presentPhotoDetail, presentPhotos, type Showing } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'photos')

export const SORTS = { created_at: 'createdAt', taken_at: 'takenAt', title: 'title' } as const

export const photoRoutes = (ctx: Context) =>
  routes(ctx, '/photos')
    .get(
      '',
      listAll,
      route({
        summary: 'List the photos that you may see',
        access: ['anyone', 'user'],
        query: PhotoQuery,
        response: PageEnvelope(t.Array(Photo)),
      }),
    )
    .post(
      '',
      idempotent(createOne),
      route({
        auth: 'photo.create',
        summary: 'Make a photo of a file that you have uploaded',
        body: NewPhoto,
        example: {
          title: '城市夜景',
          description: '繁华都市的夜晚景色',
          file_id: 'upload_123456789',
          status: 'published',
          visibility: 'public',
          taken_at: '2024-01-15T18:30:00Z',
          location: { name: '上海外滩', latitude: 31.23037, longitude: 121.4737 },
          categories: [1, 2],
          tags: ['夜景', '城市', '建筑'],
          metadata: { weather: 'clear', temperature: '15°C' },
        },
        status: 201,
        response: Envelope(PhotoDetail),
        etag: true,
        headers: { Location: 'always' },
        errors: ['UNKNOWN_FILE', 'UPLOAD_INCOMPLETE', 'FILE_IN_USE', 'UNKNOWN_CATEGORY', 'HALF_A_PLACE'],
      }),
    )
    .post(
      '/batch',
      changeMany,
      route({
        auth: 'photo.update',
        summary: 'Change or delete many photos; one that fails does not hold up the others',
        body: Batch,
        example: { photo_ids: [1, 2, 3, 4, 5], action: 'update_status', data: { status: 'published' } },
        response: Envelope(BatchResult),
        errors: ['PERMISSION_DENIED', 'UNKNOWN_CATEGORY'],
      }),
    )
    .get(
      '/:id',
      showOne,
      route({
        summary: 'Show a photo, which counts as a view',
        access: ['anyone', 'user'],
        params: Id,
        response: Envelope(PhotoDetail),
        etag: true,
      }),
    )
    .put(
      '/:id',
      updateOne,
      route({
        auth: 'photo.update',
        summary: 'Change a photo; with If-Match only the version that you have read',
        params: Id,
        requestHeaders: { 'If-Match': 'optional' },
        body: PhotoChange,
        example: {
          title: '上海外滩夜景',
          description: '更新后的描述',
          status: 'published',
          categories: [1, 3],
          tags: ['夜景', '城市', '外滩'],
        },
        response: Envelope(PhotoDetail),
        etag: true,
        errors: ['PERMISSION_DENIED', 'PHOTO_CHANGED', 'UNKNOWN_CATEGORY', 'HALF_A_PLACE'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({
        auth: 'photo.delete',
        summary: 'Delete a photo and its files',
        params: Id,
        status: 204,
        errors: ['PERMISSION_DENIED'],
      }),
    )

async function listAll({ ctx, query: asked, request, set }: Call & Query<typeof PhotoQuery>) {
  const query = await withLimit(ctx, asked)
  const viewer = await optionalPrincipal(ctx, request)
  const { sort_by, sort_order, ...filter } = query
  const { photos, total } = await listPhotos(ctx, viewer, {
    ...filter,
    tag: filter.tag || undefined,
    sortBy: SORTS[sort_by],
    sortOrder: sort_order,
  })
  forThisReader(set)
  return pageEnvelope(request, await presentPhotos({ ctx, request, viewer }, photos), total, query)
}

async function createOne({ ctx, body, principal, request, set }: SignedCall & Body<typeof NewPhoto>) {
  const { file_id, ...input } = body
  const photo = await createPhoto(ctx, principal, {
    ...readInput(input),
    title: input.title,
    fileId: readFileId(file_id),
  })
  set.headers.location = `/v1/photos/${photo.id}`
  const showing = { ctx, request, viewer: principal }
  return envelope(request, await shownWithTag(showing, photo, set), 201)
}

async function changeMany({ ctx, body, principal, request }: SignedCall & Body<typeof Batch>) {
  if (body.action === 'delete') assertMay(principal.role, 'photo.delete')
  const result = await changePhotos(ctx, principal, body.photo_ids, readChange(body))
  return envelope(request, presentBatch(request, body.action, result))
}

async function showOne({ ctx, params, request, set }: Call & Params<typeof Id>) {
  const viewer = await optionalPrincipal(ctx, request)
  const showing = { ctx, request, viewer }
  const photo = await readPhoto(ctx, viewer, params.id)
  // The views of people who may change the photo say nothing about its visitors.
  if (request.method === 'GET' && !seesWhole(viewer, photo)) ctx.services.viewCounts.count(photo.id)
  const shown = await shownWithTag(showing, photo, set)
  if (isKnown(request, String(set.headers.etag))) return new Response(null, { status: 304 })
  return envelope(request, shown)
}

async function updateOne({
  ctx,
  body,
  params,
  principal,
  request,
  set,
}: SignedCall & Params<typeof Id> & Body<typeof PhotoChange>) {
  const photo = await updatePhoto(ctx, principal, params.id, readInput(body), expectedPhoto(request))
  return envelope(request, await shownWithTag({ ctx, request, viewer: principal }, photo, set))
}

async function deleteOne({ ctx, params, principal }: SignedCall & Params<typeof Id>) {
  await deletePhoto(ctx, principal, params.id)
}

/** The photo as this viewer sees it. The answer gets its ETag. */
async function shownWithTag(showing: Showing & { request: Request }, photo: PhotoView, set: Call['set']) {
  const shown = await presentPhotoDetail(showing, photo)
  set.headers.etag = etagOf(showing, photo, shown)
  forThisReader(set)
  return shown
}
