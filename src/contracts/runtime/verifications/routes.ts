import type { Context } from '../../../core/context.ts'
import { requestSignup, resendSignupCode, verifySignup } from '../../../core/verification/signups.ts'
import { type Body, type Call, chapter } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { languageOf } from '../../../http/language.ts'
import { ACCESS_MINUTES, runtime } from '../contract.ts'
import { Session } from '../sessions/models.ts'
import { presentSession } from '../sessions/presenters.ts'
import { Resend, SignUp, SignUpRequested, Verification } from './models.ts'

const { routes, route } = chapter(runtime, 'auth')

/** The account is made when the user sends the mailed code. No answer tells whether an email has an account. */
export const verificationRoutes = (ctx: Context) =>
  routes(ctx, '/auth/verifications')
    .post(
      '',
      signUp,
      route({
        summary: 'Sign up: mails a code to the address',
        body: SignUp,
        example: { username: 'ada', email: 'ada@example.com', password: 'correct horse' },
        status: 202,
        response: SignUpRequested,
        errors: ['USERNAME_TAKEN', 'RATE_LIMITED'],
      }),
    )
    .post(
      '/resend',
      resend,
      route({
        summary: 'Mail a new code; the old one ends',
        body: Resend,
        example: { email: 'ada@example.com' },
        status: 204,
        errors: ['RATE_LIMITED'],
      }),
    )
    .post(
      '/verify',
      verify,
      route({
        summary: 'Finish signing up with the mailed code, and sign in',
        id: 'verify',
        body: Verification,
        example: { email: 'ada@example.com', token: '123456' },
        response: Session,
        errors: ['INVALID_CODE', 'EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED'],
      }),
    )

async function signUp({ ctx, body, request }: Call & Body<typeof SignUp>) {
  await requestSignup(ctx, clientOf(ctx, request), {
    username: body.username,
    email: body.email,
    password: body.password,
    redirectTo: body.redirect_to ?? undefined,
    inviteCode: body.invite_code ?? undefined,
    language: languageOf(request, runtime.language),
  })
  return { email: body.email }
}

async function resend({ ctx, body, request }: Call & Body<typeof Resend>) {
  await resendSignupCode(ctx, clientOf(ctx, request), body.email)
}

async function verify({ ctx, body, request }: Call & Body<typeof Verification>) {
  const session = await verifySignup(ctx, clientOf(ctx, request), {
    email: body.email,
    code: body.token,
    accessMinutes: ACCESS_MINUTES,
  })
  return presentSession(session)
}
