import { Elysia, t } from 'elysia'
import { getAccount, lookUpByEmail, updateProfile } from '../../../core/accounts/accounts.ts'
import { searchUsers } from '../../../core/accounts/search.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { asTyped } from '../../../http/typed.ts'
import { runtime } from '../contract.ts'
import { AuthUser, Email, optional, Profile, Username } from '../models.ts'
import { presentAuthUser, presentProfile } from '../presenters.ts'

const AvatarUrl = t.String({ format: 'uri', pattern: '^https?://', maxLength: 2000 })
const EmailQuery = t.Object({ email: Email })

export const userRoutes = (ctx: Context) =>
  new Elysia()
    .use(guard(ctx))
    .get(
      '/auth/users',
      async ({ principal, query }) => presentAuthUser(await lookUpByEmail(ctx, principal, query.email)),
      {
        auth: true,
        query: EmailQuery,
        transform: ({ query }) => void asTyped(EmailQuery, query),
        detail: runtime.describe({
          summary: 'Look a user up by email: yourself, or anybody as an administrator',
          tag: 'auth',
          id: 'lookUpUser',
          response: AuthUser,
          errors: ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'NOT_FOUND', 'VALIDATION_FAILED'],
        }),
      },
    )
    .get('/users/me', async ({ principal }) => presentProfile(await getAccount(ctx, principal.userId)), {
      auth: true,
      detail: runtime.describe({
        summary: 'Show your profile',
        tag: 'users',
        response: Profile,
        errors: ['AUTHENTICATION_REQUIRED'],
      }),
    })
    .patch(
      '/users/me',
      async ({ principal, body }) =>
        presentProfile(
          await updateProfile(ctx, principal.userId, {
            username: body.username ?? undefined,
            avatarUrl: body.avatar_url,
            bio: body.bio,
          }),
        ),
      {
        auth: true,
        body: t.Object({
          username: optional(Username),
          avatar_url: optional(AvatarUrl),
          bio: optional(t.String({ maxLength: 200 })),
        }),
        detail: runtime.describe({
          summary: 'Change your username, picture or bio',
          tag: 'users',
          example: { username: 'ada_l', avatar_url: 'https://example.com/ada.png', bio: 'Likes owls.' },
          response: Profile,
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED', 'USERNAME_TAKEN'],
        }),
      },
    )
    .post(
      '/users/search',
      async ({ principal, body }) =>
        (await searchUsers(ctx, principal.userId, body.query)).map(presentProfile),
      {
        auth: true,
        body: t.Object({ query: t.String({ minLength: 1, maxLength: 100 }) }),
        detail: runtime.describe({
          summary: 'Find up to 20 people by a part of their name, or one by email',
          tag: 'users',
          example: { query: 'ada' },
          response: t.Array(Profile),
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED', 'RATE_LIMITED'],
        }),
      },
    )
