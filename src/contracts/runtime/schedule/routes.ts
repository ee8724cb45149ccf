import { t } from 'elysia'
import {
  deleteItem,
  getItem,
  type ItemChange,
  type ItemValues,
  insertItem,
  newItemValues,
  updateItem,
} from '../../../core/agenda/items.ts'
import { listItems } from '../../../core/agenda/lists.ts'
import { attachmentsOf } from '../../../core/agenda/metadata.ts'
import type { Item } from '../../../core/agenda/rows.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { urlOf } from '../../../util/url-of.ts'
import { runtime } from '../contract.ts'
import {
  ItemId,
  itemChangeExample,
  MAX_PAGE,
  NewScheduleItem,
  newItemExample,
  ScheduleEntry,
  ScheduleItem,
  ScheduleItemChange,
  ScheduleQuery,
} from './models.ts'
import { presentEntry, presentItem } from './presenters.ts'

const { routes, route } = chapter(runtime, 'schedule')

export const scheduleItemRoutes = (ctx: Context) =>
  routes(ctx, '/schedule-items')
    .post(
      '',
      idempotent(createOne, readNew),
      route({
        auth: true,
        summary: 'Create a schedule item, or a recurring one by an `rrule`',
        body: NewScheduleItem,
        example: newItemExample,
        status: 201,
        response: ScheduleItem,
        errors: ['INVALID_RANGE'],
      }),
    )
    .get(
      '',
      listWindow,
      route({
        auth: true,
        summary: 'List what overlaps a window, recurring items by their occurrences',
        query: ScheduleQuery,
        response: t.Array(ScheduleEntry),
        headers: { Link: 'sometimes' },
        errors: ['INVALID_RANGE'],
      }),
    )
    .get(
      '/:id',
      showOne,
      route({ auth: true, summary: 'Show a schedule item', params: ItemId, response: ScheduleItem }),
    )
    .patch(
      '/:id',
      changeOne,
      route({
        auth: true,
        summary: 'Change some fields of a schedule item; null empties one',
        params: ItemId,
        body: ScheduleItemChange,
        example: itemChangeExample,
        response: ScheduleItem,
        errors: ['INVALID_RANGE'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({
        auth: true,
        summary: 'Delete a schedule item, a recurring one with all its occurrences',
        params: ItemId,
        status: 204,
      }),
    )

type NewCall = SignedCall & Body<typeof NewScheduleItem>

const readNew = ({ body }: NewCall): Promise<ItemValues> =>
  newItemValues({ ...readChange(body), title: body.title, startAt: body.start_at })

async function createOne({ ctx, principal }: NewCall, values: ItemValues) {
  const item = await insertItem(ctx, principal.userId, values, 'manual')
  return presentWithFiles(ctx, item)
}

async function listWindow({ ctx, principal, query, request, set }: SignedCall & Query<typeof ScheduleQuery>) {
  const { entries, more } = await listItems(ctx, principal.userId, {
    startAt: mendOffset(query.start_at),
    endAt: mendOffset(query.end_at),
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
}

async function showOne({ ctx, principal, params }: SignedCall & Params<typeof ItemId>) {
  return presentWithFiles(ctx, await getItem(ctx, principal.userId, params.id))
}

async function changeOne({
  ctx,
  principal,
  params,
  body,
}: SignedCall & Params<typeof ItemId> & Body<typeof ScheduleItemChange>) {
  return presentWithFiles(ctx, await updateItem(ctx, principal.userId, params.id, readChange(body)))
}

async function deleteOne({ ctx, principal, params }: SignedCall & Params<typeof ItemId>) {
  await deleteItem(ctx, principal.userId, params.id)
}

const readChange = (body: ScheduleItemChange): ItemChange => ({
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

const presentWithFiles = async (ctx: Context, item: Item): Promise<ScheduleItem> =>
  presentItem(item, await attachmentsOf(ctx, item.userId, [item]))

/** In a query a `+` means a space, and many clients do not escape the `+` of an offset. */
const mendOffset = (time: string | undefined) => time?.replace(/(:\d\d(?:\.\d+)?) (?=\d\d:\d\d$)/, '$1+')

/** The Link header of RFC 8288 with the next page. */
function nextPage(request: Request, page: number): string {
  const { pathname, searchParams } = urlOf(request)
  searchParams.set('page', String(page + 1))
  return `<${pathname}?${searchParams}>; rel="next"`
}
