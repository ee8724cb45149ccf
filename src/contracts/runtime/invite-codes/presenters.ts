import type { InviteCode as CoreInviteCode } from '../../../core/verification/invites.ts'
import type { InviteCode } from './models.ts'

export const presentInviteCode = (code: CoreInviteCode): InviteCode => ({
  code: code.code,
  status: code.status,
  max_uses: code.maxUses,
  used_count: code.usedCount,
  expires_at: code.expiresAt?.toISOString() ?? null,
  created_at: code.createdAt.toISOString(),
})
