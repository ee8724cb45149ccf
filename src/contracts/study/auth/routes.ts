import { getAccount } from '../../../core/accounts/accounts.ts'
import { endSession } from '../../../core/accounts/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { requestPasswordReset, resetPasswordWithToken } from '../../../core/verification/password-reset.ts'
import { type Body, type Call, chapter, type SignedCall } from '../../../http/chapter.ts'
import { clientOf } from '../../../http/client.ts'
import { languageOf } from '../../../http/language.ts'
import { study } from '../contract.ts'
import { Message } from '../models.ts'
import { ForgottenPassword, Me, PasswordReset } from './models.ts'
import { presentMe } from './presenters.ts'

const { routes, route } = chapter(study, 'auth')

export const authRoutes = (ctx: Context) =>
  routes(ctx, '/auth')
    .get('/me', showMe, route({ auth: true, summary: 'Show your account', response: Me }))
    .post(
      '/logout',
      logOut,
      route({
        auth: true,
        summary: 'End this session on the server too',
        inMaintenance: true,
        response: Message,
      }),
    )
    .post(
      '/forgot-password',
      forgotPassword,
      route({
        summary: 'Mail a token for a new password, if the email has an account',
        id: 'forgotPassword',
        body: ForgottenPassword,
        example: { email: 'test@example.com' },
        response: Message,
        errors: ['RATE_LIMITED'],
      }),
    )
    .post(
      '/reset-password',
      resetPassword,
      route({
        summary: 'Set a new password with the mailed token; all sessions end',
        id: 'resetPassword',
        body: PasswordReset,
        example: { token: 'reset_…', new_password: 'new_password' },
        response: Message,
        errors: ['INVALID_RESET_TOKEN', 'RATE_LIMITED'],
      }),
    )

async function showMe({ ctx, principal }: SignedCall) {
  return presentMe(await getAccount(ctx, principal.userId))
}

async function logOut({ ctx, principal, request }: SignedCall) {
  await endSession(ctx, principal, principal.userId, principal.sessionId, 'signed_out')
  return { message: study.text(request, 'signed_out') }
}

async function forgotPassword({ ctx, body, request }: Call & Body<typeof ForgottenPassword>) {
  await requestPasswordReset(ctx, clientOf(ctx, request), {
    email: body.email,
    redirectTo: body.redirect_to ?? undefined,
    proof: 'token',
    language: languageOf(request, study.language),
  })
  return { message: study.text(request, 'password_reset_mailed') }
}

async function resetPassword({ ctx, body, request }: Call & Body<typeof PasswordReset>) {
  await resetPasswordWithToken(ctx, clientOf(ctx, request), {
    token: body.token,
    newPassword: body.new_password,
    language: languageOf(request, study.language),
  })
  return { message: study.text(request, 'password_changed') }
}
