import { Elysia, t } from 'elysia'
import { endSessionOf, refreshSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { clientOf } from '../../../http/client.ts'
import { typed } from '../../../http/typed.ts'
import { runtime } from '../contract.ts'
import { Password, Session } from '../models.ts'
import { presentSession } from '../presenters.ts'

/** docs/contracts/runtime.md, "Sessions": `expires_in` is 3600. */
export const ACCESS_MINUTES = 60

const RefreshToken = t.Object({ refresh_token: t.String({ minLength: 1, maxLength: 500 }) })

export const sessionRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/auth/sessions' })
    .post(
      '',
      async ({ body, request, server }) =>
        presentSession(
          await signIn(ctx, {
            name: body.email,
            password: body.password,
            accessMinutes: ACCESS_MINUTES,
            client: clientOf(ctx, request, server),
          }),
        ),
      {
        body: t.Object({
          email: t.String({ minLength: 1, maxLength: 254, ...typed('login') }),
          password: Password,
        }),
        detail: runtime.describe({
          summary: 'Sign in with email or username',
          tag: 'auth',
          example: { email: 'ada@example.com', password: 'correct horse' },
          response: Session,
          errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/refresh',
      async ({ body }) =>
        presentSession(
          await refreshSession(ctx, { refreshToken: body.refresh_token, accessMinutes: ACCESS_MINUTES }),
        ),
      {
        body: RefreshToken,
        detail: runtime.describe({
          summary: 'Exchange a refresh token for new tokens',
          tag: 'auth',
          id: 'refreshSession',
          example: { refresh_token: 'the refresh_token of your last sign-in or refresh' },
          response: Session,
          errors: ['INVALID_REFRESH_TOKEN', 'INACTIVE_USER', 'VALIDATION_FAILED'],
        }),
      },
    )
    .delete(
      '',
      async ({ body, set }) => {
        await endSessionOf(ctx, body.refresh_token, 'signed_out')
        set.status = 204
      },
      {
        body: RefreshToken,
        detail: runtime.describe({
          summary: 'Sign out: ends the session with its access tokens',
          tag: 'auth',
          id: 'deleteSession',
          example: { refresh_token: 'the refresh_token of your last sign-in or refresh' },
          status: 204,
          errors: ['VALIDATION_FAILED'],
        }),
      },
    )
