import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { AppError, invalid } from '../../../core/errors.ts'
import type { Language } from '../../../core/messages.ts'
import { guard } from '../../../http/authenticate.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { languageOf } from '../../../http/language.ts'
import { eventStream, wantsStream } from '../../../http/sse.ts'
import type { LiveContext } from '../../../live/context.ts'
import { CURSOR_PATTERN, formatCursor, parseCursor } from '../../../live/cursor.ts'
import { eventFrame } from '../../../live/user/channel.ts'
import { type ChannelPage, type Position, readPage } from '../../../live/user/reader.ts'
import { factory } from '../contract.ts'
import { eventSource } from './event-source.ts'

const CURSOR = new RegExp(CURSOR_PATTERN)
const MAX_WAIT_SECONDS = 30

const Event = t.Object({
  type: t.String(),
  cursor: t.String(),
  at: t.String({ format: 'date-time' }),
  data: t.Record(t.String(), t.Any()),
})
const Events = t.Object({
  events: t.Array(Event),
  /** The position behind these events. */
  cursor: t.String(),
  has_more: t.Boolean(),
  /** Not null: the events after the cursor of the request can't be had. Fetch anew, and go on from `cursor`. */
  resync: t.Union([choice(['expired', 'epoch', 'unknown']), t.Null()]),
})

/** In the language of their words, as on the socket: English for a client that does not say what it reads. */
const wordsOf = (request: Request): Language => languageOf(request, 'en')

/** The log's text goes out as it is: nothing is parsed or written again, but for events that have words. */
function present(request: Request, ctx: Context, { events, seq, hasMore, resync }: ChannelPage): Response {
  const language = wordsOf(request)
  const frames = events.map((event) => eventFrame(ctx.epoch, event, language)).join(',')
  const rest = JSON.stringify({
    cursor: formatCursor(ctx.epoch, seq),
    has_more: hasMore,
    resync: resync ?? null,
  })
  return new Response(`{"events":[${frames}],${rest.slice(1)}`, {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
}

/** Where a stream goes on: a browser that comes back asks for the same URL, so what it had last wins. */
function startOf(request: Request, cursor: string | undefined): string | undefined {
  const last = request.headers.get('last-event-id')
  if (last && !CURSOR.test(last)) throw invalid('last-event-id', 'format')
  return last || cursor
}

export const eventRoutes = (ctx: LiveContext) =>
  new Elysia().use(guard(ctx)).get(
    '/events',
    async ({ principal, claims, query, request }) => {
      const position = (cursor: string | undefined) =>
        cursor === undefined ? undefined : parseCursor(ctx.epoch, cursor)
      if (wantsStream(request)) {
        const from = position(startOf(request, query.cursor))
        const reader = await ctx.live.hub.read(ctx.live.hub.signIn(principal, claims.expiresAt * 1000))
        return eventStream(request, (signal) => eventSource(ctx, reader, from, wordsOf(request), signal))
      }
      const { limit, wait } = query
      const from = position(query.cursor)
      const read = (from: Position | undefined) => readPage(ctx, principal.userId, from, limit)
      if (wait === 0) return present(request, ctx, await read(from))
      // Before the first look, so that nothing can come between that and the wait.
      using reader = await ctx.live.hub.read(ctx.live.hub.signIn(principal, claims.expiresAt * 1000))
      const page = await read(from)
      if (page.events.length > 0 || page.resync) return present(request, ctx, page)
      await reader.beyond(page.seq, request.signal, wait * 1000)
      if (reader.ended === 'signed_out') throw new AppError('INVALID_TOKEN')
      return present(request, ctx, await read(page.seq))
    },
    {
      auth: true,
      query: t.Object({
        cursor: t.Optional(t.String({ pattern: CURSOR_PATTERN, maxLength: 64 })),
        limit: integerText({ minimum: 1, maximum: 500, default: 100 }),
        wait: integerText({ minimum: 0, maximum: MAX_WAIT_SECONDS, default: 0 }),
      }),
      detail: factory.describe({
        summary:
          'Read what happened since a cursor, wait for it (wait), or stream it (Accept: text/event-stream)',
        tag: 'live',
        id: 'listEvents',
        response: Events,
        streams: true,
        errors: ['RATE_LIMITED'],
      }),
    },
  )
