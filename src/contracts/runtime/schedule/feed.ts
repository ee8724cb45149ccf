import { Elysia, t } from 'elysia'
import { closeFeed, feedSince, openFeed, readFeed } from '../../../core/agenda/feed.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { originOf } from '../../../http/origin.ts'
import { sha256 } from '../../../util/secrets.ts'
import { runtime } from '../contract.ts'
import { toICalendar } from './icalendar.ts'
import { CalendarFeed, NewCalendarFeed } from './models.ts'

const PATH = '/api/v1/schedule-items.ics'
const CONTENT_TYPE = 'text/calendar'

/** The calendar for other programs, under an address that is a secret: they can't sign in. */
export const scheduleFeedRoutes = (ctx: Context) =>
  new Elysia()
    .use(guard(ctx))
    .get(
      '/schedule-items.ics',
      async ({ query, request }) => {
        const text = await toICalendar(await readFeed(ctx, query.token ?? ''))
        const etag = `"${sha256(text)}"`
        const headers = { etag, 'cache-control': 'private, no-cache' }
        if (request.headers.get('if-none-match')?.includes(etag)) {
          return new Response(null, { status: 304, headers })
        }
        return new Response(text, {
          headers: { ...headers, 'content-type': `${CONTENT_TYPE}; charset=utf-8` },
        })
      },
      {
        query: t.Object({ token: t.Optional(t.String({ maxLength: 200 })) }),
        detail: runtime.describe({
          summary: 'Read a calendar by its secret address, as iCalendar (RFC 5545)',
          tag: 'schedule',
          id: 'readCalendarFeed',
          access: ['feed'],
          answers: { 304: { description: 'Not changed since the ETag of If-None-Match' } },
          response: t.String(),
          contentType: CONTENT_TYPE,
          errors: ['NOT_FOUND'],
        }),
      },
    )
    .get(
      '/schedule-items/feed',
      async ({ principal }) => {
        const since = await feedSince(ctx, principal.userId)
        return { active: since !== undefined, created_at: since?.toISOString() ?? null }
      },
      {
        auth: true,
        detail: runtime.describe({
          summary: 'Tell whether your calendar has a secret address',
          tag: 'schedule',
          id: 'getCalendarFeed',
          response: CalendarFeed,
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
    .post(
      '/schedule-items/feed',
      async ({ principal, request, set }) => {
        const { token, createdAt } = await openFeed(ctx, principal.userId)
        const url = `${originOf(ctx, request)}${PATH}?token=${token}`
        set.status = 201
        return { url, token, created_at: createdAt.toISOString() }
      },
      {
        auth: true,
        detail: runtime.describe({
          summary: 'Give your calendar a new secret address, shown only now; the one before ends',
          tag: 'schedule',
          id: 'openCalendarFeed',
          status: 201,
          response: NewCalendarFeed,
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
    .delete(
      '/schedule-items/feed',
      async ({ principal, set }) => {
        await closeFeed(ctx, principal.userId)
        set.status = 204
      },
      {
        auth: true,
        detail: runtime.describe({
          summary: 'End the secret address of your calendar',
          tag: 'schedule',
          id: 'closeCalendarFeed',
          status: 204,
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
