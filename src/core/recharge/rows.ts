import { type SQL, sql } from 'drizzle-orm'
import { rechargeCodes } from '../../db/schema/index.ts'

export const CODE_STATUSES = ['active', 'used', 'expired', 'disabled'] as const
export type CodeStatus = (typeof CODE_STATUSES)[number]

type Row = typeof rechargeCodes.$inferSelect

/** A code as administrators see it. */
export interface RechargeCode extends Omit<Row, 'codeHash' | 'codeSealed'> {
  /** Empty when it was sealed with another secret than the server has now. */
  code: string
  status: CodeStatus
}

/** What a code has most reason to be called. By the database's clock, as the redemption is. */
export const codeStatus: SQL<CodeStatus> = sql<CodeStatus>`case
  when ${rechargeCodes.disabledAt} is not null then 'disabled'
  when ${rechargeCodes.usedCount} >= ${rechargeCodes.maxUses} then 'used'
  when ${rechargeCodes.expiresAt} <= now() then 'expired'
  else 'active' end`
