import { Elysia, t } from 'elysia'
import { register } from '../../../core/accounts/accounts.ts'
import { openSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import { clientOf } from '../../../http/client.ts'
import { Email } from '../../../http/models.ts'
import { typed } from '../../../http/typed.ts'
import { factory } from '../../factory/contract.ts'
import { Session, SessionUser } from '../../factory/models.ts'
import { presentSession, presentSessionUser } from '../../factory/presenters.ts'
import { Password } from '../../factory/users/models.ts'
import { Token } from '../../study/models.ts'
import { presentToken } from '../../study/presenters.ts'
import { Both, both } from '../both.ts'

const Registration = t.Object({
  email: Email,
  username: t.Optional(t.String({ minLength: 3, maxLength: 30, ...typed('name') })),
  password: Password,
  full_name: t.Optional(t.String({ minLength: 1, maxLength: 100, ...typed('name') })),
})

/** Either field takes the email or the username: docs/design.md, "Names and sign-in". */
const Credentials = t.Object({
  email: t.Optional(t.String({ minLength: 1, maxLength: 254, ...typed('login') })),
  username: t.Optional(t.String({ minLength: 1, maxLength: 254, ...typed('login') })),
  password: t.String({ minLength: 1, maxLength: 200 }),
})

// Neither document shows what registering answers in the envelope: the session, as at sign-in, beside the new user.
const Registered = t.Composite([Session, SessionUser], { title: 'Registered' })

export const authRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/auth' })
    .post(
      '/register',
      async ({ body, request, server, set }) => {
        const client = clientOf(ctx, request, server)
        const user = await register(ctx, client.ip, {
          email: body.email,
          username: body.username,
          password: body.password,
          displayName: body.full_name,
        })
        const session = await openSession(ctx, user, ctx.config.accessTokenMinutes, client)
        set.status = 201
        const data = { ...presentSession(session), ...presentSessionUser(user) }
        return both(request, presentToken(session), data, 'registered')
      },
      {
        body: Registration,
        detail: factory.describe({
          summary: 'Create an account and sign in',
          tag: 'auth',
          example: {
            email: 'newuser@example.com',
            username: 'newuser',
            password: 'password123',
            full_name: '新用户',
          },
          status: 201,
          response: Both(Token, Registered),
          errors: ['VALIDATION_FAILED', 'EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/login',
      async ({ body, request, server }) => {
        const name = body.email ?? body.username
        if (name === undefined) throw invalid('email', 'required')
        const session = await signIn(ctx, {
          name,
          password: body.password,
          accessMinutes: ctx.config.accessTokenMinutes,
          client: clientOf(ctx, request, server),
        })
        return both(request, presentToken(session), presentSession(session), 'signed_in')
      },
      {
        body: Credentials,
        detail: factory.describe({
          summary: 'Sign in with email or username',
          tag: 'auth',
          example: { email: 'newuser@example.com', password: 'password123' },
          response: Both(Token, Session),
          errors: ['VALIDATION_FAILED', 'INVALID_CREDENTIALS', 'INACTIVE_USER', 'RATE_LIMITED'],
        }),
      },
    )
