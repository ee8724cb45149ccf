import { toMajor } from '../../../core/money/ledger.ts'
import type { NewCode, NewCodes } from '../../../core/recharge/create.ts'
import type { RechargeCode as CoreRechargeCode } from '../../../core/recharge/rows.ts'
import type { NewRechargeCode, RechargeCode } from './models.ts'

export const presentNewCode = (
  { uuid, code }: NewCode,
  { amountMinor, expiresAt }: Pick<NewCodes, 'amountMinor' | 'expiresAt'>,
): NewRechargeCode => ({
  id: uuid,
  code,
  amount: toMajor(amountMinor),
  expires_at: expiresAt?.toISOString() ?? null,
})

export const presentCode = (code: CoreRechargeCode): RechargeCode => ({
  ...presentNewCode(code, code),
  description: code.description,
  status: code.status,
  max_uses: code.maxUses,
  used_count: code.usedCount,
  created_at: code.createdAt.toISOString(),
})
