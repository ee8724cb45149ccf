import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { confirmPasswordReset, requestPasswordReset } from '../../../core/verification/password-reset.ts'
import { clientOf } from '../../../http/client.ts'
import { languageOf } from '../../../http/language.ts'
import { runtime } from '../contract.ts'
import { Code, Email, Password, RedirectTo } from '../models.ts'

export const passwordResetRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/auth/password-reset' })
    .post(
      '',
      async ({ body, request, server, set }) => {
        await requestPasswordReset(ctx, clientOf(ctx, request, server), {
          email: body.email,
          redirectTo: body.redirect_to ?? undefined,
          language: languageOf(request, runtime.language),
        })
        set.status = 204
      },
      {
        body: t.Object({ email: Email, redirect_to: RedirectTo }),
        detail: runtime.describe({
          summary: 'Mail a code for a new password, if the address has an account',
          tag: 'auth',
          id: 'requestPasswordReset',
          example: { email: 'ada@example.com' },
          status: 204,
          errors: ['VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .post(
      '/confirm',
      async ({ body, request, server, set }) => {
        await confirmPasswordReset(ctx, clientOf(ctx, request, server), {
          email: body.email,
          code: body.token,
          newPassword: body.new_password,
          language: languageOf(request, runtime.language),
        })
        set.status = 204
      },
      {
        body: t.Object({ email: Email, token: Code, new_password: Password }),
        detail: runtime.describe({
          summary: 'Set a new password with the mailed code; all sessions end',
          tag: 'auth',
          example: { email: 'ada@example.com', token: '123456', new_password: 'battery staple' },
          status: 204,
          errors: ['INVALID_CODE', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
