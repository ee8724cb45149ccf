import { toMajor } from '../../../core/money/amounts.ts'
import type { NewCode, NewCodes } from '../../../core/recharge/create.ts'
import type { Redemption } from '../../../core/recharge/records.ts'
import type { Redeemed as CoreRedeemed } from '../../../core/recharge/redeem.ts'
import type { RechargeCode as CoreRechargeCode } from '../../../core/recharge/rows.ts'
import type { CodeUse, NewRechargeCode, RechargeCode, RechargeRecord, Redeemed } from './models.ts'

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

export const presentRedeemed = ({ uuid, amountMinor, balanceMinor }: CoreRedeemed): Redeemed => ({
  amount: toMajor(amountMinor),
  new_balance: toMajor(balanceMinor),
  recharge_record_id: uuid,
})

export const presentRecord = (redemption: Redemption): RechargeRecord => ({
  id: redemption.uuid,
  code: redemption.maskedCode,
  amount: toMajor(redemption.amountMinor),
  created_at: redemption.createdAt.toISOString(),
})

export const presentUse = (redemption: Redemption): CodeUse => ({
  ...presentRecord(redemption),
  user: { id: redemption.user.uuid, username: redemption.user.username },
})
