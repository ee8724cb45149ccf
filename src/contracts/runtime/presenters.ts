import type { User } from '../../core/accounts/accounts.ts'
import type { SignedIn } from '../../core/accounts/sessions.ts'
import type { InviteCode as CoreInviteCode } from '../../core/verification/invites.ts'
import type { AuthUser, InviteCode, Profile, Session } from './models.ts'

export const presentSession = ({ accessToken, refreshToken, expiresIn, user }: SignedIn): Session => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  expires_in: expiresIn,
  token_type: 'bearer',
  user: { id: user.uuid, email: user.email },
})

export const presentAuthUser = (user: User): AuthUser => ({
  id: user.uuid,
  email: user.email,
  created_at: user.createdAt.toISOString(),
  email_confirmed_at: user.emailConfirmedAt?.toISOString() ?? null,
})

export const presentInviteCode = (code: CoreInviteCode): InviteCode => ({
  code: code.code,
  status: code.status,
  max_uses: code.maxUses,
  used_count: code.usedCount,
  expires_at: code.expiresAt?.toISOString() ?? null,
  created_at: code.createdAt.toISOString(),
})

/** What any user may see of another: never the email. */
export const presentProfile = (user: User): Profile => ({
  id: user.uuid,
  username: user.username,
  avatar_url: user.avatarUrl,
  bio: user.bio,
})
