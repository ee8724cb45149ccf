import type { User } from '../../../core/accounts/rows.ts'
import type { AuthUser, Profile } from './models.ts'

export const presentAuthUser = (user: User): AuthUser => ({
  id: user.uuid,
  email: user.email,
  created_at: user.createdAt.toISOString(),
  email_confirmed_at: user.emailConfirmedAt?.toISOString() ?? null,
})

export const presentProfile = (user: User): Profile => ({
  id: user.uuid,
  username: user.username,
  avatar_url: user.avatarUrl,
  bio: user.bio,
})
