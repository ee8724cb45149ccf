import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Session } from './models.ts'

export const presentSession = ({ accessToken, refreshToken, expiresIn, user }: SignedIn): Session => ({
  access_token: accessToken,
  refresh_token: refreshToken,
  expires_in: expiresIn,
  token_type: 'bearer',
  user: { id: user.uuid, email: user.email },
})
