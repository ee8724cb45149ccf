import { getAccount } from '../../../core/accounts/accounts.ts'
import { endSession, refreshSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, type Call, chapter, type SignedCall } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { Nothing } from '../../../http/models.ts'
import { ACCESS_MINUTES, Envelope, envelope, portfolio } from '../contract.ts'
import { Login, RefreshToken, Session, User } from './models.ts'
import { presentSession, presentUser } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'auth')

export const authRoutes = (ctx: Context) =>
  routes(ctx, '/auth')
    .post(
      '/login',
      login,
      route({
        summary: 'Sign in with username or email',
        inMaintenance: true,
        limit: 'auth',
        body: Login,
        example: { username: 'admin', password: 'password123' },
        response: Envelope(Session),
        errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER'],
      }),
    )
    .post(
      '/refresh',
      refresh,
      route({
        summary: 'Exchange a refresh token for new tokens',
        inMaintenance: true,
        limit: 'auth',
        body: RefreshToken,
        example: { refresh_token: 'the refresh_token of your last sign-in or refresh' },
        response: Envelope(Session),
        errors: ['INVALID_REFRESH_TOKEN', 'INACTIVE_USER'],
      }),
    )
    .post(
      '/logout',
      logout,
      route({
        auth: true,
        summary: 'End this session on the server too',
        inMaintenance: true,
        response: Envelope(Nothing),
      }),
    )
    .get(
      '/profile',
      showProfile,
      route({ auth: true, summary: 'Show your account', response: Envelope(User) }),
    )

async function login({ ctx, body, request }: Call & Body<typeof Login>) {
  const session = await signIn(ctx, {
    name: body.username,
    password: body.password,
    accessMinutes: ACCESS_MINUTES,
    client: clientOf(ctx, request),
  })
  return envelope(request, presentSession(session), 200, 'signed_in')
}

async function refresh({ ctx, body, request }: Call & Body<typeof RefreshToken>) {
  const session = await refreshSession(ctx, {
    refreshToken: body.refresh_token,
    accessMinutes: ACCESS_MINUTES,
    client: clientOf(ctx, request),
  })
  return envelope(request, presentSession(session))
}

async function logout({ ctx, principal, request }: SignedCall) {
  await endSession(ctx, principal, principal.userId, principal.sessionId, 'signed_out')
  return envelope(request, {}, 200, 'signed_out')
}

async function showProfile({ ctx, principal, request }: SignedCall) {
  return envelope(request, presentUser(await getAccount(ctx, principal.userId)))
}
