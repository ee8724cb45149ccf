import type { Context } from '../../../core/context.ts'
import { confirmPasswordReset, requestPasswordReset } from '../../../core/verification/password-reset.ts'
import { type Body, type Call, chapter } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { languageOf } from '../../../http/language.ts'
import { runtime } from '../contract.ts'
import { ResetConfirmation, ResetRequest } from './models.ts'

const { routes, route } = chapter(runtime, 'auth')

export const passwordResetRoutes = (ctx: Context) =>
  routes(ctx, '/auth/password-reset')
    .post(
      '',
      requestReset,
      route({
        summary: 'Mail a code for a new password, if the address has an account',
        id: 'requestPasswordReset',
        body: ResetRequest,
        example: { email: 'ada@example.com' },
        status: 204,
        errors: ['RATE_LIMITED'],
      }),
    )
    .post(
      '/confirm',
      confirmReset,
      route({
        summary: 'Set a new password with the mailed code; all sessions end',
        body: ResetConfirmation,
        example: { email: 'ada@example.com', token: '123456', new_password: 'battery staple' },
        status: 204,
        errors: ['INVALID_CODE', 'RATE_LIMITED'],
      }),
    )

async function requestReset({ ctx, body, request }: Call & Body<typeof ResetRequest>) {
  await requestPasswordReset(ctx, clientOf(ctx, request), {
    email: body.email,
    redirectTo: body.redirect_to ?? undefined,
    proof: 'code',
    language: languageOf(request, runtime.language),
  })
}

async function confirmReset({ ctx, body, request }: Call & Body<typeof ResetConfirmation>) {
  await confirmPasswordReset(ctx, clientOf(ctx, request), {
    email: body.email,
    code: body.token,
    newPassword: body.new_password,
    language: languageOf(request, runtime.language),
  })
}
