import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { listPhotos } from '../../../core/photos/list.ts'
import { readPhoto } from '../../../core/photos/read.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { type Call, chapter, type Params, type Query } from '../../../http/chapter.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio } from '../contract.ts'
import { Id } from '../ids.ts'
import { Photo, PhotoDetail, PhotoQuery } from './models.ts'
import { presentPhotoDetail, presentPhotos } from './presenters.ts'

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
    .get(
      '/:id',
      showOne,
      route({
        summary: 'Show a photo, which counts as a view',
        access: ['anyone', 'user'],
        params: Id,
        response: Envelope(PhotoDetail),
      }),
    )

async function listAll({ ctx, query, request }: Call & Query<typeof PhotoQuery>) {
  const viewer = await optionalPrincipal(ctx, request)
  const { sort_by, sort_order, ...filter } = query
  const { photos, total } = await listPhotos(ctx, viewer, {
    ...filter,
    sortBy: SORTS[sort_by],
    sortOrder: sort_order,
  })
  return pageEnvelope(request, await presentPhotos({ ctx, request, viewer }, photos), total, query)
}

async function showOne({ ctx, params, request }: Call & Params<typeof Id>) {
  const viewer = await optionalPrincipal(ctx, request)
  const photo = await readPhoto(ctx, viewer, params.id)
  return envelope(request, await presentPhotoDetail({ ctx, request, viewer }, photo))
}
