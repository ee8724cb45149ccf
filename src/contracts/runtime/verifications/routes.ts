import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { requestSignup, resendSignupCode, verifySignup } from '../../../core/verification/signups.ts'
import { clientOf } from '../../../http/client.ts'
import { languageOf } from '../../../http/language.ts'
import { runtime } from '../contract.ts'
import { Code, Email, optional, Password, RedirectTo, Session, Username } from '../models.ts'
import { presentSession } from '../presenters.ts'
import { ACCESS_MINUTES } from '../sessions/routes.ts'

/** An account is made when the code of its mail comes back. None of the answers tells whether an email has one. */
export const signupRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/auth/verifications' })
    .post(
      '',
      async ({ body, request, server, set }) => {
        await requestSignup(ctx, clientOf(ctx, request, server), {
          username: body.username,
          email: body.email,
          password: body.password,
          redirectTo: body.redirect_to ?? undefined,
          inviteCode: body.invite_code ?? undefined,
          language: languageOf(request, runtime.language),
        })
        set.status = 202
        return { email: body.email }
      },
      {
        body: t.Object({
          username: Username,
          email: Email,
          password: Password,
          redirect_to: RedirectTo,
          // Of any form: one that is not valid never blocks.
          invite_code: optional(t.String({ maxLength: 64 })),
        }),
        detail: runtime.describe({
          summary: 'Sign up: mails a code to the address',
          tag: 'auth',
          example: { username: 'ada', email: 'ada@example.com', password: 'correct horse' },
          status: 202,
          response: t.Object({ email: t.String() }),
          errors: ['VALIDATION_FAILED', 'USERNAME_TAKEN', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/resend',
      async ({ body, request, server, set }) => {
        await resendSignupCode(ctx, clientOf(ctx, request, server), body.email)
        set.status = 204
      },
      {
        body: t.Object({ email: Email }),
        detail: runtime.describe({
          summary: 'Mail a new code; the old one ends',
          tag: 'auth',
          example: { email: 'ada@example.com' },
          status: 204,
          errors: ['VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/verify',
      async ({ body, request, server }) =>
        presentSession(
          await verifySignup(ctx, clientOf(ctx, request, server), {
            email: body.email,
            code: body.token,
            accessMinutes: ACCESS_MINUTES,
          }),
        ),
      {
        body: t.Object({ email: Email, token: Code }),
        detail: runtime.describe({
          summary: 'Finish signing up with the mailed code, and sign in',
          tag: 'auth',
          id: 'verify',
          example: { email: 'ada@example.com', token: '123456' },
          response: Session,
          errors: ['INVALID_CODE', 'VALIDATION_FAILED', 'EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED'],
        }),
      },
    )
