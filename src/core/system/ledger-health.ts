import { sql } from 'drizzle-orm'
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
  const [check] = await db.execute<{ at: number; rest: number; differences: number }>(sql`
    select (extract(epoch from at) * 1000)::float8 as at, (credit_minor - debit_minor)::float8 as rest, differences
    from ledger_checks order by id desc limit 1`)
  const { rest: trialBalanceMinor, differences } = check ?? { rest: 0, differences: 0 }
  return {
    healthy: trialBalanceMinor === 0 && differences === 0,
    checkedAt: check ? new Date(check.at) : null,
    trialBalanceMinor,
    differences,
  }
}
