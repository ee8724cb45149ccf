import { Elysia, t } from 'elysia'
import { changePassword, updateProfile } from '../../../core/accounts/accounts.ts'
import { accountSummary, userStatistics } from '../../../core/accounts/administration.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { languageOf } from '../../../http/language.ts'
import { typed } from '../../../http/typed.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { Me, Nothing, Password, UserStats } from '../models.ts'
import { presentMe, presentUserStats } from '../presenters.ts'

export const userRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/users' })
    .use(guard(ctx))
    .get(
      '/me',
      async ({ principal, request }) =>
        envelope(request, presentMe(await accountSummary(ctx, principal.userId))),
      {
        auth: true,
        detail: factory.describe({
          summary: 'Show your account',
          tag: 'users',
          response: Envelope(Me),
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
    .put(
      '/me',
      async ({ principal, body, request }) => {
        await updateProfile(ctx, principal.userId, { username: body.username, displayName: body.full_name })
        return envelope(request, presentMe(await accountSummary(ctx, principal.userId)))
      },
      {
        auth: true,
        body: t.Object({
          full_name: t.Optional(t.String({ minLength: 1, maxLength: 100, ...typed('name') })),
          username: t.Optional(t.String({ minLength: 3, maxLength: 30, ...typed('name') })),
        }),
        detail: factory.describe({
          summary: 'Change your name or username',
          tag: 'users',
          example: { full_name: '新的姓名', username: 'new_username' },
          response: Envelope(Me),
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED', 'USERNAME_TAKEN'],
        }),
      },
    )
    .post(
      '/change-password',
      async ({ principal, body, request }) => {
        await changePassword(ctx, principal, {
          currentPassword: body.current_password,
          newPassword: body.new_password,
          language: languageOf(request, factory.language),
        })
        return envelope(request, {}, 'password_changed')
      },
      {
        auth: true,
        body: t.Object({
          current_password: t.String({ minLength: 1, maxLength: 200 }),
          new_password: Password,
        }),
        detail: factory.describe({
          summary: 'Change your password; your other sessions end',
          tag: 'users',
          id: 'changePassword',
          example: { current_password: 'password123', new_password: 'new_password' },
          response: Envelope(Nothing),
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
    .get(
      '/stats',
      async ({ principal, request }) =>
        envelope(request, presentUserStats(await userStatistics(ctx, principal.userId))),
      {
        auth: true,
        detail: factory.describe({
          summary: 'Count your tasks and costs',
          tag: 'users',
          id: 'getUserStats',
          response: Envelope(UserStats),
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
