import { desc } from 'drizzle-orm'
import { ledgerChecks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

export interface LedgerHealth {
  healthy: boolean
  /** Null before the first check, which is made within an hour. */
  checkedAt: Date | null
  /** All credits less all debits: 0 unless the ledger is damaged. */
  trialBalanceMinor: number
  differences: number
}

/** What the newest check of the ledger has found; every server shows the same. */
export async function ledgerHealth({ db }: Context): Promise<LedgerHealth> {
  const [check] = await db.select().from(ledgerChecks).orderBy(desc(ledgerChecks.id)).limit(1)
  if (!check) return { healthy: true, checkedAt: null, trialBalanceMinor: 0, differences: 0 }
  const { at: checkedAt, creditMinor, debitMinor, differences } = check
  const trialBalanceMinor = creditMinor - debitMinor
  return { healthy: differences === 0 && trialBalanceMinor === 0, checkedAt, trialBalanceMinor, differences }
}
