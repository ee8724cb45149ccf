import { refreshSession, signIn, signOutWith } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, type Call, chapter } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { ACCESS_MINUTES, runtime } from '../contract.ts'
import { RefreshToken, refreshTokenExample, Session, SignIn } from './models.ts'
import { presentSession } from './presenters.ts'

const { routes, route } = chapter(runtime, 'auth')

export const sessionRoutes = (ctx: Context) =>
  routes(ctx, '/auth/sessions')
    .post(
      '',
      createSession,
      route({
        summary: 'Sign in with email or username',
        inMaintenance: true,
        body: SignIn,
        example: { email: 'ada@example.com', password: 'correct horse' },
        response: Session,
        errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER', 'RATE_LIMITED'],
      }),
    )
    .post(
      '/refresh',
      refresh,
      route({
        summary: 'Exchange a refresh token for new tokens',
        inMaintenance: true,
        id: 'refreshSession',
        body: RefreshToken,
        example: refreshTokenExample,
        response: Session,
        errors: ['INVALID_REFRESH_TOKEN', 'INACTIVE_USER'],
      }),
    )
    .delete(
      '',
      deleteSession,
      route({
        summary: 'Sign out: ends the session with its access tokens',
        inMaintenance: true,
        id: 'deleteSession',
        body: RefreshToken,
        example: refreshTokenExample,
        status: 204,
      }),
    )

async function createSession({ ctx, body, request }: Call & Body<typeof SignIn>) {
  const session = await signIn(ctx, {
    name: body.email,
    password: body.password,
    accessMinutes: ACCESS_MINUTES,
    client: clientOf(ctx, request),
  })
  return presentSession(session)
}

async function refresh({ ctx, body, request }: Call & Body<typeof RefreshToken>) {
  const session = await refreshSession(ctx, {
    refreshToken: body.refresh_token,
    accessMinutes: ACCESS_MINUTES,
    client: clientOf(ctx, request),
  })
  return presentSession(session)
}

async function deleteSession({ ctx, body, request }: Call & Body<typeof RefreshToken>) {
  await signOutWith(ctx, clientOf(ctx, request), body.refresh_token)
}
