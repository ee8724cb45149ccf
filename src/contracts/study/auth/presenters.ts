import type { User } from '../../../core/accounts/rows.ts'
import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Me, Token } from './models.ts'

export const presentToken = ({ accessToken }: SignedIn): Token => ({
  access_token: accessToken,
  token_type: 'bearer',
})

export const presentMe = (user: User): Me => ({
  id: user.id,
  username: user.username,
  email: user.email,
  full_name: user.displayName,
  role: user.role,
  is_active: user.isActive,
  created_at: user.createdAt.toISOString(),
  last_login: user.lastLoginAt?.toISOString() ?? null,
})
