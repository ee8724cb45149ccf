import { readInstant } from '../../../core/agenda/times.ts'
import type { Context } from '../../../core/context.ts'
import {
  createInviteCode,
  getInviteCode,
  listInviteCodes,
  updateInviteCode,
} from '../../../core/verification/invites.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Page, PageQuery, pageOf } from '../../../http/models.ts'
import { runtime } from '../contract.ts'
import { CodeOfInvite, InviteCode, InviteCodeChange, NewInviteCode } from './models.ts'
import { presentInviteCode } from './presenters.ts'

const { routes, route } = chapter(runtime, 'invite codes')

/** For administrators: docs/contracts/runtime.md, "Invite codes". */
export const inviteCodeRoutes = (ctx: Context) =>
  routes(ctx, '/invite-codes')
    .post(
      '',
      idempotent(createOne),
      route({
        auth: 'invite.create',
        summary: 'Make an invite code',
        body: NewInviteCode,
        example: { max_uses: 10, expires_at: '2099-12-31T23:59:59Z' },
        status: 201,
        response: InviteCode,
      }),
    )
    .get(
      '',
      listAll,
      route({
        auth: 'invite.read',
        summary: 'List the invite codes, newest first',
        query: PageQuery,
        response: Page(InviteCode),
      }),
    )
    .get(
      '/:code',
      showOne,
      route({
        auth: 'invite.read',
        summary: 'Show an invite code',
        params: CodeOfInvite,
        response: InviteCode,
      }),
    )
    .patch(
      '/:code',
      changeOne,
      route({
        auth: 'invite.update',
        summary: 'Change the limits of an invite code, disable or enable it',
        params: CodeOfInvite,
        body: InviteCodeChange,
        example: { status: 'active', max_uses: 20 },
        response: InviteCode,
      }),
    )
    .delete(
      '/:code',
      disableOne,
      route({
        auth: 'invite.delete',
        summary: 'Disable an invite code; the server keeps who signed up with it',
        params: CodeOfInvite,
        status: 204,
      }),
    )

async function createOne({ ctx, principal, body }: SignedCall & Body<typeof NewInviteCode>) {
  const code = await createInviteCode(ctx, principal, {
    maxUses: body.max_uses,
    expiresAt: readExpiry(body.expires_at),
  })
  return presentInviteCode(code)
}

async function listAll({ ctx, query }: SignedCall & Query<typeof PageQuery>) {
  const { codes, total } = await listInviteCodes(ctx, { page: query.page, pageSize: query.page_size })
  return pageOf(codes.map(presentInviteCode), total, query)
}

async function showOne({ ctx, params }: SignedCall & Params<typeof CodeOfInvite>) {
  return presentInviteCode(await getInviteCode(ctx, params.code))
}

async function changeOne({
  ctx,
  principal,
  params,
  body,
}: SignedCall & Params<typeof CodeOfInvite> & Body<typeof InviteCodeChange>) {
  const code = await updateInviteCode(ctx, principal, params.code, {
    isActive: body.status && body.status === 'active',
    maxUses: body.max_uses,
    expiresAt: readExpiry(body.expires_at),
  })
  return presentInviteCode(code)
}

async function disableOne({ ctx, principal, params }: SignedCall & Params<typeof CodeOfInvite>) {
  await updateInviteCode(ctx, principal, params.code, { isActive: false })
}

const readExpiry = (text: string | null | undefined) =>
  text === null || text === undefined ? text : readInstant('expires_at', text)
