import { register } from '../../../core/accounts/accounts.ts'
import { openSession, signIn } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import { type Body, type Call, chapter } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { presentSession, presentSessionUser } from '../../factory/auth/presenters.ts'
import { factory } from '../../factory/contract.ts'
import { presentToken } from '../../study/auth/presenters.ts'
import { study } from '../../study/contract.ts'
import { both } from '../both.ts'
import { CREDENTIALS, Credentials, REGISTRATION, Registered, Registration, SignedIn } from './models.ts'

const { routes, route } = chapter(factory, 'auth', { sharedWith: study })

export const authRoutes = (ctx: Context) =>
  routes(ctx, '/auth')
    .post(
      '/register',
      registerAndSignIn,
      route({
        summary: 'Create an account and sign in',
        body: Registration,
        example: REGISTRATION,
        status: 201,
        response: Registered,
        errors: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED'],
      }),
    )
    .post(
      '/login',
      logIn,
      route({
        summary: 'Sign in with email or username',
        inMaintenance: true,
        body: Credentials,
        example: CREDENTIALS,
        response: SignedIn,
        errors: ['INVALID_CREDENTIALS', 'INACTIVE_USER', 'RATE_LIMITED'],
      }),
    )

async function registerAndSignIn({ ctx, body, request }: Call & Body<typeof Registration>) {
  const client = clientOf(ctx, request)
  const user = await register(ctx, client, {
    email: body.email,
    username: body.username,
    password: body.password,
    displayName: body.full_name,
  })
  const session = await openSession(ctx, user, ctx.config.accessTokenMinutes, client)
  const data = { ...presentSession(session), ...presentSessionUser(user) }
  return both(request, presentToken(session), data, 'registered')
}

async function logIn({ ctx, body, request }: Call & Body<typeof Credentials>) {
  const name = body.email ?? body.username
  if (name === undefined) throw invalid('email', 'required')
  const session = await signIn(ctx, {
    name,
    password: body.password,
    accessMinutes: ctx.config.accessTokenMinutes,
    client: clientOf(ctx, request),
  })
  return both(request, presentToken(session), presentSession(session), 'signed_in')
}
