import { Elysia, t } from 'elysia'
import { channelHead } from '../../../core/channel/log.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { formatCursor } from '../../../live/cursor.ts'
import { issueTicket, TICKET_SECONDS } from '../../../live/user/tickets.ts'
import { Envelope, envelope, factory } from '../contract.ts'

export const liveRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/ws' }).use(guard(ctx)).post(
    '/ticket',
    async ({ principal, claims, request }) => {
      // First: what happens from here on comes after this position.
      const cursor = formatCursor(ctx.epoch, await channelHead(ctx, principal.userId))
      const ticket = await issueTicket(ctx, principal.sessionId, claims.expiresAt * 1000)
      return envelope(request, { ticket, expires_in: TICKET_SECONDS, cursor })
    },
    {
      auth: true,
      detail: factory.describe({
        summary: 'Get a one-use ticket for opening the live channel',
        tag: 'live',
        id: 'createTicket',
        response: Envelope(t.Object({ ticket: t.String(), expires_in: t.Integer(), cursor: t.String() })),
        errors: ['AUTHENTICATION_REQUIRED'],
      }),
    },
  )
