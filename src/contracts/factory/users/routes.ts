import { updateProfile } from '../../../core/accounts/accounts.ts'
import { accountSummary, userStatistics } from '../../../core/accounts/administration.ts'
import { changePassword } from '../../../core/accounts/password-change.ts'
import type { Context } from '../../../core/context.ts'
import { readAmount } from '../../../core/money/amounts.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { Nothing, PASSWORD_CHANGE, PasswordChange } from '../../../http/models.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { Me, ProfileChange, UserStats } from './models.ts'
import { presentMe, presentUserStats } from './presenters.ts'

const { routes, route } = chapter(factory, 'users')

export const userRoutes = (ctx: Context) =>
  routes(ctx, '/users')
    .get('/me', showMe, route({ auth: true, summary: 'Show your account', response: Envelope(Me) }))
    .put(
      '/me',
      changeMe,
      route({
        auth: true,
        summary: 'Change your name, your username or the balance below which you are warned',
        body: ProfileChange,
        example: { full_name: '新的姓名', username: 'new_username' },
        response: Envelope(Me),
        errors: ['USERNAME_TAKEN'],
      }),
    )
    .post(
      '/change-password',
      changeOwnPassword,
      route({
        auth: true,
        summary: 'Change your password; your other sessions end',
        id: 'changePassword',
        body: PasswordChange,
        example: PASSWORD_CHANGE,
        response: Envelope(Nothing),
        errors: ['RATE_LIMITED'],
      }),
    )
    .get(
      '/stats',
      showStats,
      route({
        auth: true,
        summary: 'Count your tasks and costs',
        id: 'getUserStats',
        response: Envelope(UserStats),
      }),
    )

async function showMe({ ctx, principal, request }: SignedCall) {
  return envelope(request, presentMe(await accountSummary(ctx, principal.userId)))
}

async function changeMe({ ctx, principal, body, request }: SignedCall & Body<typeof ProfileChange>) {
  const threshold = body.low_balance_threshold
  await updateProfile(ctx, principal, {
    username: body.username,
    displayName: body.full_name,
    lowBalanceMinor:
      threshold === null || threshold === undefined
        ? threshold
        : readAmount('low_balance_threshold', threshold),
  })
  return envelope(request, presentMe(await accountSummary(ctx, principal.userId)))
}

async function changeOwnPassword({
  ctx,
  principal,
  body,
  request,
}: SignedCall & Body<typeof PasswordChange>) {
  await changePassword(ctx, principal, {
    currentPassword: body.current_password,
    newPassword: body.new_password,
    language: languageOf(request, factory.language),
  })
  return envelope(request, {}, 'password_changed')
}

async function showStats({ ctx, principal, request }: SignedCall) {
  return envelope(request, presentUserStats(await userStatistics(ctx, principal.userId)))
}
