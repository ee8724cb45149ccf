import { getAccount, register } from '../../../core/accounts/accounts.ts'
import { endSession, refreshSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, type Call, chapter, type SignedCall } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { learning } from '../contract.ts'
import { Login, RefreshToken, Registration, Session, SignedOut, Tokens, User } from './models.ts'
import { presentSession, presentTokens, presentUser } from './presenters.ts'

const { routes, route } = chapter(learning, 'auth')

export const authRoutes = (ctx: Context) =>
  routes(ctx, '/auth')
    .post(
      '/register',
      createAccount,
      route({
        summary: 'Create an account',
        body: Registration,
        example: { email: 'learner@example.com', name: '用户名', password: 'your-password' },
        status: 201,
        response: User,
        errors: ['EMAIL_TAKEN', 'RATE_LIMITED'],
      }),
    )
    .post(
      '/login',
      login,
      route({
        summary: 'Sign in with email or username',
        inMaintenance: true,
        body: Login,
        example: { email: 'learner@example.com', password: 'your-password' },
        response: Session,
        errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER', 'RATE_LIMITED'],
      }),
    )
    .get('/me', showMe, route({ auth: true, summary: 'Show your account', response: User }))
    .post(
      '/refresh',
      refresh,
      route({
        summary: 'Exchange a refresh token for new tokens',
        inMaintenance: true,
        body: RefreshToken,
        example: { refresh_token: 'the refresh_token of your last sign-in or refresh' },
        response: Tokens,
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
        response: SignedOut,
      }),
    )

async function createAccount({ ctx, body, request }: Call & Body<typeof Registration>) {
  const user = await register(ctx, clientOf(ctx, request), {
    email: body.email,
    password: body.password,
    displayName: body.name,
  })
  return presentUser(user)
}

async function login({ ctx, body, request }: Call & Body<typeof Login>) {
  const session = await signIn(ctx, {
    name: body.email,
    password: body.password,
    accessMinutes: ctx.config.accessTokenMinutes,
    client: clientOf(ctx, request),
  })
  return presentSession(session)
}

async function showMe({ ctx, principal }: SignedCall) {
  return presentUser(await getAccount(ctx, principal.userId))
}

async function refresh({ ctx, body, request }: Call & Body<typeof RefreshToken>) {
  const session = await refreshSession(ctx, {
    refreshToken: body.refresh_token,
    accessMinutes: ctx.config.accessTokenMinutes,
    client: clientOf(ctx, request),
  })
  return presentTokens(session)
}

async function logout({ ctx, principal, request }: SignedCall) {
  await endSession(ctx, principal, principal.userId, principal.sessionId, 'signed_out')
  return {
    message: learning.text(request, 'signed_out'),
    detail: learning.text(request, 'discard_tokens'),
  }
}
