import { t } from 'elysia'
import { getAccount, lookUpByEmail, updateProfile } from '../../../core/accounts/accounts.ts'
import { searchUsers } from '../../../core/accounts/search.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { runtime } from '../contract.ts'
import { AuthUser, EmailQuery, Profile, ProfileChange, UserSearch } from './models.ts'
import { presentAuthUser, presentProfile } from './presenters.ts'

const auth = chapter(runtime, 'auth')
const { routes, route } = chapter(runtime, 'users')

export const userRoutes = (ctx: Context) =>
  routes(ctx)
    .get(
      '/auth/users',
      lookUp,
      auth.route({
        auth: true,
        summary: 'Look a user up by email: yourself, or anybody as an administrator',
        id: 'lookUpUser',
        query: EmailQuery,
        response: AuthUser,
        errors: ['PERMISSION_DENIED', 'NOT_FOUND'],
      }),
    )
    .get('/users/me', showMe, route({ auth: true, summary: 'Show your profile', response: Profile }))
    .patch(
      '/users/me',
      changeMe,
      route({
        auth: true,
        summary: 'Change your username, picture or bio',
        body: ProfileChange,
        example: { username: 'ada_l', avatar_url: 'https://example.com/ada.png', bio: 'Likes owls.' },
        response: Profile,
        errors: ['USERNAME_TAKEN'],
      }),
    )
    .post(
      '/users/search',
      search,
      route({
        auth: true,
        summary: 'Find up to 20 people by a part of their name, or one by email',
        inMaintenance: true,
        body: UserSearch,
        example: { query: 'ada' },
        response: t.Array(Profile),
        errors: ['RATE_LIMITED'],
      }),
    )

async function lookUp({ ctx, principal, query }: SignedCall & Query<typeof EmailQuery>) {
  return presentAuthUser(await lookUpByEmail(ctx, principal, query.email))
}

async function showMe({ ctx, principal }: SignedCall) {
  return presentProfile(await getAccount(ctx, principal.userId))
}

async function changeMe({ ctx, principal, body }: SignedCall & Body<typeof ProfileChange>) {
  const user = await updateProfile(ctx, principal, {
    username: body.username ?? undefined,
    avatarUrl: body.avatar_url,
    bio: body.bio,
  })
  return presentProfile(user)
}

async function search({ ctx, principal, body }: SignedCall & Body<typeof UserSearch>) {
  const users = await searchUsers(ctx, principal.userId, body.query)
  return users.map(presentProfile)
}
