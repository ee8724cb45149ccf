import { t } from 'elysia'
import { closeFeed, feedSince, openFeed, readFeed } from '../../../core/agenda/feed.ts'
import type { Context } from '../../../core/context.ts'
import { type Call, chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { originOf } from '../../../http/origin.ts'
import { matchesNone } from '../../../util/entity-tags.ts'
import { sha256 } from '../../../util/secrets.ts'
import { runtime } from '../contract.ts'
import { toICalendar } from './icalendar.ts'
import { CalendarFeed, FeedQuery, NewCalendarFeed } from './models.ts'

const PATH = '/api/v1/schedule-items.ics'
const CONTENT_TYPE = 'text/calendar'

const { routes, route } = chapter(runtime, 'schedule')

/** The calendar for other programs. They cannot sign in, so the address holds a secret. */
export const scheduleFeedRoutes = (ctx: Context) =>
  routes(ctx)
    .get(
      '/schedule-items.ics',
      readCalendar,
      route({
        summary: 'Read a calendar by its secret address, as iCalendar (RFC 5545)',
        id: 'readCalendarFeed',
        access: ['feed'],
        query: FeedQuery,
        etag: true,
        response: t.String(),
        contentType: CONTENT_TYPE,
        errors: ['NOT_FOUND'],
      }),
    )
    .get(
      '/schedule-items/feed',
      showFeed,
      route({
        auth: true,
        summary: 'Tell whether your calendar has a secret address',
        id: 'getCalendarFeed',
        response: CalendarFeed,
      }),
    )
    .post(
      '/schedule-items/feed',
      idempotent(createFeed),
      route({
        auth: true,
        summary: 'Give your calendar a new secret address, shown only now; the one before ends',
        id: 'openCalendarFeed',
        status: 201,
        response: NewCalendarFeed,
      }),
    )
    .delete(
      '/schedule-items/feed',
      deleteFeed,
      route({
        auth: true,
        summary: 'End the secret address of your calendar',
        id: 'closeCalendarFeed',
        status: 204,
      }),
    )

async function readCalendar({ ctx, query, request }: Call & Query<typeof FeedQuery>) {
  const text = await toICalendar(await readFeed(ctx, query.token ?? ''))
  const etag = `"${sha256(text)}"`
  const headers = { etag, 'cache-control': 'private, no-cache' }
  if (matchesNone(request.headers.get('if-none-match') ?? '', etag))
    return new Response(null, { status: 304, headers })
  return new Response(text, {
    headers: { ...headers, 'content-type': `${CONTENT_TYPE}; charset=utf-8` },
  })
}

async function showFeed({ ctx, principal }: SignedCall): Promise<CalendarFeed> {
  const since = await feedSince(ctx, principal.userId)
  return { active: since !== undefined, created_at: since?.toISOString() ?? null }
}

async function createFeed({ ctx, principal, request }: SignedCall): Promise<NewCalendarFeed> {
  const { token, createdAt } = await openFeed(ctx, principal)
  return {
    url: `${originOf(ctx, request)}${PATH}?token=${token}`,
    token,
    created_at: createdAt.toISOString(),
  }
}

async function deleteFeed({ ctx, principal }: SignedCall) {
  await closeFeed(ctx, principal)
}
