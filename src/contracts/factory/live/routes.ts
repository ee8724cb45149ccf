import { channelHead } from '../../../core/channel/log.ts'
import { AppError, invalid } from '../../../core/errors.ts'
import { chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { eventStream, wantsStream } from '../../../http/sse.ts'
import type { LiveContext } from '../../../live/context.ts'
import { type ChannelPage, readPage } from '../../../live/user/reader.ts'
import { signInUntil } from '../../../live/user/sign-in.ts'
import { issueTicket, TICKET_SECONDS } from '../../../live/user/tickets.ts'
import { CURSOR_PATTERN, formatCursor, parseCursor } from '../../../protocol/live/cursor.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { eventSource } from './event-source.ts'
import { Events, EventsQuery, Ticket } from './models.ts'
import { presentEvents } from './presenters.ts'

const { routes, route } = chapter(factory, 'live')

export const liveRoutes = (ctx: LiveContext) =>
  routes(ctx)
    .post(
      '/ws/ticket',
      createTicket,
      route({
        auth: true,
        summary: 'Get a one-use ticket for opening the live channel',
        inMaintenance: true,
        id: 'createTicket',
        response: Envelope(Ticket),
      }),
    )
    .get(
      '/events',
      listEvents,
      route({
        auth: true,
        summary:
          'Read what happened since a cursor, wait for it (wait), or stream it (Accept: text/event-stream)',
        id: 'listEvents',
        query: EventsQuery,
        requestHeaders: { 'Last-Event-ID': 'optional' },
        response: Events,
        streams: true,
        errors: ['RATE_LIMITED'],
      }),
    )

async function createTicket({ ctx, principal, claims, request }: SignedCall) {
  // The position is read before the ticket is made, so that the client misses no event that comes after this answer.
  const cursor = formatCursor(ctx.epoch, await channelHead(ctx, principal.userId))
  const ticket = await issueTicket(ctx, principal.sessionId, claims.expiresAt * 1000)
  return envelope(request, { ticket, expires_in: TICKET_SECONDS, cursor })
}

type LiveCall = SignedCall<LiveContext>

async function listEvents({
  ctx,
  principal,
  claims,
  query,
  request,
}: LiveCall & Query<typeof EventsQuery>): Promise<Response> {
  const { limit, wait } = query
  const stream = wantsStream(request)
  const cursor = stream ? (lastEventId(request) ?? query.cursor) : query.cursor
  const from = cursor === undefined ? undefined : parseCursor(ctx.epoch, cursor)
  // As on the socket: English for a client that does not say which language it reads.
  const language = languageOf(request, 'en')
  const openReader = () => ctx.live.hub.read(signInUntil(principal, claims.expiresAt * 1000))
  const answer = (page: ChannelPage) =>
    new Response(presentEvents(ctx.epoch, page, language), {
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    })
  if (stream) {
    const reader = await openReader()
    return eventStream(request, (signal) => eventSource(ctx, { reader, from, language, signal }))
  }
  if (wait === 0) return answer(await readPage(ctx, principal.userId, from, limit))
  // The reader opens before the first look at the log, so that no event is missed between the look and the wait.
  using reader = await openReader()
  const page = await readPage(ctx, principal.userId, from, limit)
  if (page.events.length > 0 || page.resync) return answer(page)
  await reader.beyond(page.seq, request.signal, wait * 1000)
  if (reader.ended === 'signed_out') throw new AppError('INVALID_TOKEN')
  return answer(await readPage(ctx, principal.userId, page.seq, limit))
}

const CURSOR = new RegExp(CURSOR_PATTERN)

/**
 * The last event that the client has. A browser that reconnects repeats the URL of its first request, so this header is
 * newer than the cursor in the query.
 * @throws AppError VALIDATION_FAILED
 */
function lastEventId(request: Request): string | undefined {
  const id = request.headers.get('last-event-id')
  if (id && !CURSOR.test(id)) throw invalid('last-event-id', 'format')
  return id || undefined
}
