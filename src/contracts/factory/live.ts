import { Elysia, t } from 'elysia'
import type { Core } from '../../core/context.ts'
import { guard } from '../../http/authenticate.ts'
import { issueTicket, TICKET_SECONDS } from '../../live/tickets.ts'
import { Envelope, envelope, factory } from './contract.ts'

export const liveRoutes = (ctx: Core) =>
  new Elysia({ prefix: '/ws' }).use(guard(ctx)).post(
    '/ticket',
    async ({ principal, claims, request }) => {
      const ticket = await issueTicket(ctx, principal.sessionId, claims.expiresAt * 1000)
      return envelope(request, { ticket, expires_in: TICKET_SECONDS })
    },
    {
      auth: true,
      detail: factory.describe({
        summary: 'Get a one-use ticket for opening the live channel',
        tag: 'live',
        id: 'createTicket',
        response: Envelope(t.Object({ ticket: t.String(), expires_in: t.Integer() })),
        errors: ['AUTHENTICATION_REQUIRED'],
      }),
    },
  )
