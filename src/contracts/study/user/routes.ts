import { getAccount } from '../../../core/accounts/accounts.ts'
import { userStatistics } from '../../../core/accounts/administration.ts'
import { changePassword } from '../../../core/accounts/password-change.ts'
import type { Context } from '../../../core/context.ts'
import { studyStatistics } from '../../../core/courses/progress.ts'
import { getStudySettings, updateStudySettings } from '../../../core/courses/settings.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { PASSWORD_CHANGE, PasswordChange } from '../../../http/models.ts'
import { study } from '../contract.ts'
import { Message } from '../models.ts'
import { Profile, USER_CONFIG, UserConfig, UserConfigChange } from './models.ts'
import { presentProfile, presentUserConfig } from './presenters.ts'

const { routes, route } = chapter(study, 'user')

export const userRoutes = (ctx: Context) =>
  routes(ctx, '/user')
    .get(
      '/config',
      showConfig,
      route({ auth: true, summary: 'Show how you study', id: 'getUserConfig', response: UserConfig }),
    )
    .put(
      '/config',
      changeConfig,
      route({
        auth: true,
        summary: 'Change how you study',
        id: 'updateUserConfig',
        body: UserConfigChange,
        example: USER_CONFIG,
        response: UserConfig,
      }),
    )
    .put(
      '/password',
      changeOwnPassword,
      route({
        auth: true,
        summary: 'Change your password; your other sessions end',
        id: 'changePassword',
        body: PasswordChange,
        example: PASSWORD_CHANGE,
        response: Message,
        errors: ['RATE_LIMITED'],
      }),
    )
    .get(
      '/profile',
      showProfile,
      route({
        auth: true,
        summary: 'Show your account with what you have studied',
        id: 'getUserProfile',
        response: Profile,
      }),
    )

async function showConfig({ ctx, principal }: SignedCall) {
  return presentUserConfig(await getStudySettings(ctx, principal.userId))
}

async function changeConfig({ ctx, principal, body }: SignedCall & Body<typeof UserConfigChange>) {
  const settings = await updateStudySettings(ctx, principal, {
    cxUsername: body.cx_username,
    cxPassword: body.cx_password,
    speed: body.speed,
    notOpenAction: body.notopen_action,
  })
  return presentUserConfig(settings)
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
    language: languageOf(request, study.language),
  })
  return { message: study.text(request, 'password_changed') }
}

async function showProfile({ ctx, principal: { userId } }: SignedCall) {
  const [user, tasks, studied] = await Promise.all([
    getAccount(ctx, userId),
    userStatistics(ctx, userId),
    studyStatistics(ctx, userId),
  ])
  return presentProfile(user, tasks, studied)
}
