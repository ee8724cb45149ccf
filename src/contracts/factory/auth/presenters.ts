import type { User } from '../../../core/accounts/rows.ts'
import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Session, SessionUser } from './models.ts'

export const presentSessionUser = (user: User): SessionUser => ({
  id: user.uuid,
  email: user.email,
  username: user.username,
  role: user.role,
})

export const presentSession = ({ user, accessToken, refreshToken, expiresIn }: SignedIn): Session => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  token_type: 'bearer',
  expires_in: expiresIn,
  user: presentSessionUser(user),
})
