import { getAccount } from '../../../core/accounts/accounts.ts'
import { endSession } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { chapter, type SignedCall } from '../../../http/chapter.ts'
import { study } from '../contract.ts'
import { Message } from '../models.ts'
import { Me } from './models.ts'
import { presentMe } from './presenters.ts'

const { routes, route } = chapter(study, 'auth')

export const authRoutes = (ctx: Context) =>
  routes(ctx, '/auth')
    .get('/me', showMe, route({ auth: true, summary: 'Show your account', response: Me }))
    .post(
      '/logout',
      logOut,
      route({
        auth: true,
        summary: 'End this session on the server too',
        inMaintenance: true,
        response: Message,
      }),
    )

async function showMe({ ctx, principal }: SignedCall) {
  return presentMe(await getAccount(ctx, principal.userId))
}

async function logOut({ ctx, principal, request }: SignedCall) {
  await endSession(ctx, principal, principal.userId, principal.sessionId, 'signed_out')
  return { message: study.text(request, 'signed_out') }
}
