import { Elysia, t } from 'elysia'
import { readInstant } from '../../../core/agenda/times.ts'
import type { Context } from '../../../core/context.ts'
import {
  createInviteCode,
  getInviteCode,
  listInviteCodes,
  updateInviteCode,
} from '../../../core/verification/invites.ts'
import { guard } from '../../../http/authenticate.ts'
import { choice } from '../../../http/choice.ts'
import { Page, pageOf, pageQuery } from '../../../http/pagination.ts'
import { runtime } from '../contract.ts'
import { InviteCode } from '../models.ts'
import { presentInviteCode } from '../presenters.ts'

const params = t.Object({ code: t.String({ maxLength: 100 }) })
const limits = {
  max_uses: t.Optional(t.Union([t.Integer({ minimum: 1, maximum: 1_000_000 }), t.Null()])),
  // With its zone: without one it would mean the server's.
  expires_at: t.Optional(
    t.Union([t.String({ format: 'date-time', pattern: '(Z|[+-]\\d\\d:\\d\\d)$' }), t.Null()]),
  ),
}
const errors = ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED'] as const

const expiryOf = (text: string | null | undefined) =>
  text === null || text === undefined ? text : readInstant('expires_at', text)

/** For administrators: docs/contracts/runtime.md, "Invite codes". */
export const inviteCodeRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/invite-codes' })
    .use(guard(ctx))
    .post(
      '',
      async ({ principal, body, set }) => {
        const code = await createInviteCode(ctx, principal.userId, {
          maxUses: body.max_uses,
          expiresAt: expiryOf(body.expires_at),
        })
        set.status = 201
        return presentInviteCode(code)
      },
      {
        auth: 'invite.create',
        body: t.Object(limits),
        detail: runtime.describe({
          summary: 'Make an invite code',
          tag: 'invite codes',
          example: { max_uses: 10, expires_at: '2099-12-31T23:59:59Z' },
          status: 201,
          response: InviteCode,
          errors: [...errors, 'VALIDATION_FAILED'],
        }),
      },
    )
    .get(
      '',
      async ({ query }) => {
        const { codes, total } = await listInviteCodes(ctx, { page: query.page, pageSize: query.page_size })
        return pageOf(codes.map(presentInviteCode), total, query)
      },
      {
        auth: 'invite.read',
        query: t.Object(pageQuery),
        detail: runtime.describe({
          summary: 'List the invite codes, newest first',
          tag: 'invite codes',
          response: Page(InviteCode),
          errors: [...errors, 'VALIDATION_FAILED'],
        }),
      },
    )
    .get('/:code', async ({ params }) => presentInviteCode(await getInviteCode(ctx, params.code)), {
      auth: 'invite.read',
      params,
      detail: runtime.describe({
        summary: 'Show an invite code',
        tag: 'invite codes',
        response: InviteCode,
        errors: [...errors, 'NOT_FOUND'],
      }),
    })
    .patch(
      '/:code',
      async ({ params, body }) =>
        presentInviteCode(
          await updateInviteCode(ctx, params.code, {
            isActive: body.status && body.status === 'active',
            maxUses: body.max_uses,
            expiresAt: expiryOf(body.expires_at),
          }),
        ),
      {
        auth: 'invite.update',
        params,
        body: t.Object({ status: t.Optional(choice(['active', 'disabled'])), ...limits }),
        detail: runtime.describe({
          summary: 'Change the limits of an invite code, disable or enable it',
          tag: 'invite codes',
          example: { status: 'active', max_uses: 20 },
          response: InviteCode,
          errors: [...errors, 'NOT_FOUND', 'VALIDATION_FAILED'],
        }),
      },
    )
    .delete(
      '/:code',
      async ({ params, set }) => {
        await updateInviteCode(ctx, params.code, { isActive: false })
        set.status = 204
      },
      {
        auth: 'invite.delete',
        params,
        detail: runtime.describe({
          summary: 'Disable an invite code; who came by it stays known',
          tag: 'invite codes',
          status: 204,
          errors: [...errors, 'NOT_FOUND'],
        }),
      },
    )
