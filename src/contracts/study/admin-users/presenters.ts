import type { User } from '../../../core/accounts/rows.ts'
import type { AdminUser } from './models.ts'

export const presentAdminUser = (user: User): AdminUser => ({
  id: user.id,
  username: user.username,
  email: user.email,
  role: user.role,
  is_active: user.isActive,
  created_at: user.createdAt.toISOString(),
  last_login: user.lastLoginAt?.toISOString() ?? null,
})
