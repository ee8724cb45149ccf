import type { AccountSummary } from '../../../core/accounts/administration.ts'
import { presentMe } from '../users/presenters.ts'
import type { AdminUser } from './models.ts'

export const presentAdminUser = (summary: AccountSummary): AdminUser => ({
  ...presentMe(summary),
  is_active: summary.user.isActive,
})
