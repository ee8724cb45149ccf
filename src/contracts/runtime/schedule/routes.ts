import { Elysia, t } from 'elysia'
import {
  createItem,
  deleteItem,
  getItem,
  type Item,
  type ItemChange,
  updateItem,
} from '../../../core/agenda/items.ts'
import { listItems } from '../../../core/agenda/lists.ts'
import { attachmentsOf } from '../../../core/agenda/metadata.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { urlOf } from '../../../util/url-of.ts'
import { runtime } from '../contract.ts'
import {
  MAX_PAGE,
  NewScheduleItem,
  ScheduleEntry,
  ScheduleItem,
  ScheduleItemChange,
  ScheduleQuery,
} from './models.ts'
import { presentEntry, presentItem } from './presenters.ts'

const params = t.Object({ id: t.String() })

const read = (body: ScheduleItemChange): ItemChange => ({
  title: body.title,
  description: body.description,
  startAt: body.start_at,
  endAt: body.end_at,
  timezone: body.timezone ?? undefined,
  metadata: body.metadata,
  rrule: body.rrule,
  exceptions: body.exceptions === null ? [] : body.exceptions,
  reminderMinutes: body.reminder_minutes,
  status: body.status,
})

const show = async (ctx: Context, item: Item): Promise<ScheduleItem> =>
  presentItem(item, await attachmentsOf(ctx, item.userId, [item]))

/** A `+` in a query means a space, and who writes an offset into it often forgets that. */
const readPlus = (time: string | undefined) => time?.replace(/(:\d\d(?:\.\d+)?) (?=\d\d:\d\d$)/, '$1+')

/** RFC 8288: where the list goes on. */
function nextPage(request: Request, page: number): string {
  const { pathname, searchParams } = urlOf(request)
  searchParams.set('page', String(page + 1))
  return `<${pathname}?${searchParams}>; rel="next"`
}

export const scheduleItemRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/schedule-items' })
    .use(guard(ctx))
    .post(
      '',
      async ({ principal, body, set }) => {
        const input = { ...read(body), title: body.title, startAt: body.start_at }
        const item = await createItem(ctx, principal.userId, input, 'manual')
        set.status = 201
        return show(ctx, item)
      },
      {
        auth: true,
        body: NewScheduleItem,
        detail: runtime.describe({
          summary: 'Create a schedule item, or a recurring one by an `rrule`',
          tag: 'schedule',
          example: {
            title: '组会',
            start_at: '2030-01-15T09:00:00Z',
            end_at: '2030-01-15T10:00:00Z',
            timezone: 'Asia/Shanghai',
            metadata: {
              color: '#FF6B6B',
              location: '会议室A',
              notes: '记得带身份证',
              attachments: [],
              version: 1,
            },
          },
          status: 201,
          response: ScheduleItem,
          errors: ['INVALID_RANGE', 'AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED'],
        }),
      },
    )
    .get(
      '',
      async ({ principal, query, request, set }) => {
        const { entries, more } = await listItems(ctx, principal.userId, {
          startAt: readPlus(query.start_at),
          endAt: readPlus(query.end_at),
          timezone: query.timezone,
          page: query.page,
          limit: query.limit,
        })
        if (more && query.page < MAX_PAGE) set.headers.link = nextPage(request, query.page)
        const files = await attachmentsOf(
          ctx,
          principal.userId,
          entries.map(({ item }) => item),
        )
        return entries.map((entry) => presentEntry(entry, files))
      },
      {
        auth: true,
        query: ScheduleQuery,
        detail: runtime.describe({
          summary: 'List what overlaps a window, recurring items by their occurrences',
          tag: 'schedule',
          response: t.Array(ScheduleEntry),
          errors: ['INVALID_RANGE', 'AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED'],
        }),
      },
    )
    .get(
      '/:id',
      async ({ principal, params }) => show(ctx, await getItem(ctx, principal.userId, params.id)),
      {
        auth: true,
        params,
        detail: runtime.describe({
          summary: 'Show a schedule item',
          tag: 'schedule',
          response: ScheduleItem,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
    .patch(
      '/:id',
      async ({ principal, params, body }) =>
        show(ctx, await updateItem(ctx, principal.userId, params.id, read(body))),
      {
        auth: true,
        params,
        body: ScheduleItemChange,
        detail: runtime.describe({
          summary: 'Change some fields of a schedule item; null empties one',
          tag: 'schedule',
          example: {
            title: '组会（改期）',
            start_at: '2030-01-16T09:00:00Z',
            end_at: '2030-01-16T10:00:00Z',
          },
          response: ScheduleItem,
          errors: ['INVALID_RANGE', 'AUTHENTICATION_REQUIRED', 'NOT_FOUND', 'VALIDATION_FAILED'],
        }),
      },
    )
    .delete(
      '/:id',
      async ({ principal, params, set }) => {
        await deleteItem(ctx, principal.userId, params.id)
        set.status = 204
      },
      {
        auth: true,
        params,
        detail: runtime.describe({
          summary: 'Delete a schedule item, a recurring one with all its occurrences',
          tag: 'schedule',
          status: 204,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
