import type { Context } from '../../../core/context.ts'
import type { Viewer } from '../../../core/photo-index/visibility.ts'
import { createEvent, deleteEvent, getEvent, updateEvent } from '../../../core/timeline/entries.ts'
import type { Reader } from '../../../core/timeline/rows.ts'
import { readMonth, readTimeline } from '../../../core/timeline/timeline.ts'
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
import { languageOf } from '../../../http/language.ts'
import { originOf } from '../../../http/origin.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio, withLimit } from '../contract.ts'
import { Id } from '../ids.ts'
import {
  MonthOfYear,
  MonthQuery,
  NewTimelineEvent,
  Timeline,
  TimelineEvent,
  TimelineEventChange,
  TimelineMonthDetail,
  TimelineQuery,
} from './models.ts'
import { presentEvent, presentMonth, presentTimeline } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'timeline')

export const timelineRoutes = (ctx: Context) =>
  routes(ctx, '/timeline')
    .get(
      '',
      showAll,
      route({
        summary: 'Show the years and months with photos or events',
        access: ['anyone', 'user'],
        query: TimelineQuery,
        response: Envelope(Timeline),
      }),
    )
    .get(
      '/:year/:month',
      showMonth,
      route({
        summary: 'Show a month with one page of its photos',
        id: 'getTimelineMonth',
        access: ['anyone', 'user'],
        params: MonthOfYear,
        query: MonthQuery,
        response: PageEnvelope(TimelineMonthDetail),
      }),
    )
    .get(
      '/events/:id',
      showEvent,
      route({
        summary: 'Show an event',
        access: ['anyone', 'user'],
        params: Id,
        response: Envelope(TimelineEvent),
      }),
    )
    .post(
      '/events',
      idempotent(create),
      route({
        auth: 'timeline.create',
        summary: 'Create an event',
        body: NewTimelineEvent,
        example: {
          title: '获得摄影比赛奖项',
          description: '在城市摄影大赛中获得金奖',
          date: '2024-03-15',
          type: 'achievement',
          related_photos: [15, 23, 31],
        },
        status: 201,
        response: Envelope(TimelineEvent),
        errors: ['UNKNOWN_PHOTOS', 'TOO_MANY_EVENTS'],
      }),
    )
    .put(
      '/events/:id',
      update,
      route({
        auth: 'timeline.update',
        summary: 'Change fields of an event',
        params: Id,
        body: TimelineEventChange,
        example: { title: '更新后的标题', description: '更新后的描述' },
        response: Envelope(TimelineEvent),
        errors: ['UNKNOWN_PHOTOS'],
      }),
    )
    .delete(
      '/events/:id',
      deleteOne,
      route({ auth: 'timeline.delete', summary: 'Delete an event', params: Id, status: 204 }),
    )

const readerWho = ({ ctx, request }: Call, viewer: Viewer): Reader => ({
  viewer,
  origin: originOf(ctx, request),
})

const readerOf = async (call: Call): Promise<Reader> =>
  readerWho(call, await optionalPrincipal(call.ctx, call.request))

async function showAll(call: Call & Query<typeof TimelineQuery>) {
  const { ctx, query, request } = call
  const timeline = await readTimeline(ctx, await readerOf(call), {
    year: query.year,
    photosOfEach: query.include_photos ? query.photos_limit : 0,
  })
  return envelope(request, presentTimeline(timeline, languageOf(request, portfolio.language)))
}

async function showMonth(call: Call & Params<typeof MonthOfYear> & Query<typeof MonthQuery>) {
  const { ctx, params, request } = call
  const query = await withLimit(ctx, call.query)
  const month = await readMonth(ctx, await readerOf(call), {
    ...params,
    page: query.page,
    limit: query.limit,
    includePhotos: query.include_photos,
  })
  const shown = presentMonth(month, languageOf(request, portfolio.language))
  return pageEnvelope(request, shown, month.photoCount, query)
}

async function showEvent(call: Call & Params<typeof Id>) {
  return answer(call, await readerOf(call), call.params.id)
}

async function create(call: SignedCall & Body<typeof NewTimelineEvent>) {
  const { ctx, principal, body } = call
  const { title, date, type = 'milestone' } = body
  const id = await createEvent(ctx, principal, { ...inputOf(body), title, date, type })
  return answer(call, readerWho(call, principal), id, 201)
}

async function update(call: SignedCall & Params<typeof Id> & Body<typeof TimelineEventChange>) {
  const { ctx, principal, params, body } = call
  await updateEvent(ctx, principal, params.id, inputOf(body))
  return answer(call, readerWho(call, principal), params.id)
}

async function deleteOne({ ctx, principal, params }: SignedCall & Params<typeof Id>) {
  await deleteEvent(ctx, principal, params.id)
}

async function answer({ ctx, request }: Call, reader: Reader, id: number, status = 200) {
  const event = await getEvent(ctx, reader, id)
  return envelope(request, presentEvent(event), status)
}

const inputOf = ({ related_photos, description, ...same }: TimelineEventChange) => ({
  ...same,
  description: description === null ? '' : description,
  relatedPhotos: related_photos,
})
