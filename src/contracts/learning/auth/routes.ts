import { Elysia, t } from 'elysia'
import { getAccount, register } from '../../../core/accounts/accounts.ts'
import { endSession, refreshSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { clientOf } from '../../../http/client.ts'
import { typed } from '../../../http/typed.ts'
import { learning } from '../contract.ts'
import { Refreshed, Session, User } from '../models.ts'
import { presentRefreshed, presentSession, presentUser } from '../presenters.ts'

const Message = t.Object({ message: t.String(), detail: t.String() })

export const authRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/auth' })
    .use(guard(ctx))
    .post(
      '/register',
      async ({ body, request, server, set }) => {
        const client = clientOf(ctx, request, server)
        const user = await register(ctx, client.ip, {
          email: body.email,
          password: body.password,
          displayName: body.name,
        })
        set.status = 201
        return presentUser(user)
      },
      {
        body: t.Object({
          email: t.String({ format: 'email', maxLength: 254, ...typed('email') }),
          name: t.String({ minLength: 1, maxLength: 100, ...typed('name') }),
          password: t.String({ minLength: 8, maxLength: 200 }),
        }),
        detail: learning.describe({
          summary: 'Create an account',
          tag: 'auth',
          example: { email: 'learner@example.com', name: '用户名', password: 'your-password' },
          status: 201,
          response: User,
          errors: ['EMAIL_TAKEN', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/login',
      async ({ body, request, server }) =>
        presentSession(
          await signIn(ctx, {
            name: body.email,
            password: body.password,
            accessMinutes: ctx.config.accessTokenMinutes,
            client: clientOf(ctx, request, server),
          }),
        ),
      {
        body: t.Object({
          email: t.String({ minLength: 1, maxLength: 254, ...typed('login') }),
          password: t.String({ minLength: 1, maxLength: 200 }),
        }),
        detail: learning.describe({
          summary: 'Sign in with email or username',
          tag: 'auth',
          example: { email: 'learner@example.com', password: 'your-password' },
          response: Session,
          errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .get('/me', async ({ principal }) => presentUser(await getAccount(ctx, principal.userId)), {
      auth: true,
      detail: learning.describe({
        summary: 'Show your account',
        tag: 'auth',
        response: User,
        errors: ['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'INACTIVE_USER'],
      }),
    })
    .post(
      '/refresh',
      async ({ body }) =>
        presentRefreshed(
          await refreshSession(ctx, {
            refreshToken: body.refresh_token,
            accessMinutes: ctx.config.accessTokenMinutes,
          }),
        ),
      {
        body: t.Object({ refresh_token: t.String({ minLength: 1, maxLength: 500 }) }),
        detail: learning.describe({
          summary: 'Exchange a refresh token for new tokens',
          tag: 'auth',
          example: { refresh_token: 'the refresh_token of your last sign-in or refresh' },
          response: Refreshed,
          errors: ['INVALID_REFRESH_TOKEN', 'INACTIVE_USER', 'VALIDATION_FAILED'],
        }),
      },
    )
    .post(
      '/logout',
      async ({ principal, request }) => {
        await endSession(ctx, principal.userId, principal.sessionId, 'signed_out')
        return {
          message: learning.text(request, 'signed_out'),
          detail: learning.text(request, 'discard_tokens'),
        }
      },
      {
        auth: true,
        detail: learning.describe({
          summary: 'End this session on the server too',
          tag: 'auth',
          response: Message,
          errors: ['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN'],
        }),
      },
    )
