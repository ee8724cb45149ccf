import type { User as Account } from '../../../core/accounts/rows.ts'
import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Session, Tokens, User } from './models.ts'

export const presentUser = (user: Account): User => ({
  id: user.id,
  email: user.email,
  name: user.displayName,
  avatar_url: user.avatarUrl,
  is_active: user.isActive,
  created_at: user.createdAt.toISOString(),
})

export const presentTokens = ({ accessToken, refreshToken, expiresIn }: SignedIn): Tokens => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer',
  expires_in: expiresIn,
})

export const presentSession = (session: SignedIn): Session => ({
  ...presentTokens(session),
  user: presentUser(session.user),
})
