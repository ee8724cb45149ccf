import type { User as Account } from '../../../core/accounts/rows.ts'
import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Session, User } from './models.ts'

export const presentUser = (user: Account): User => ({
  id: user.id,
  username: user.username,
  email: user.email,
  role: user.role,
  display_name: user.displayName,
  avatar_url: user.avatarUrl,
})

export const presentSession = ({ user, accessToken, refreshToken, expiresIn }: SignedIn): Session => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'Bearer',
  expires_in: expiresIn,
  user: presentUser(user),
})
