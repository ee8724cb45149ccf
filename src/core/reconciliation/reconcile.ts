/** The hourly check of the ledger: docs/operations.md, "Money". */
import { desc, lt, sql } from 'drizzle-orm'
import { ledgerChecks } from '../../db/schema/index.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { checkLedger } from './check.ts'

export type LedgerCheck = typeof ledgerChecks.$inferSelect

const KEEP_DAYS = 90

/**
 * Checks the ledger and stores the result. A difference is an error in the log, and an event for administrators when the check
 * before had not found the same.
 * @param signal ends the check between two of its statements; then nothing is stored
 */
export async function reconcile(ctx: Context, signal?: AbortSignal): Promise<LedgerCheck> {
  const result = await checkLedger(ctx.db, { signal })
  const check = await transaction(ctx, async (tx) => {
    const [before] = await tx.db.select().from(ledgerChecks).orderBy(desc(ledgerChecks.id)).limit(1)
    const [check] = await tx.db.insert(ledgerChecks).values(result).returning()
    const { at: checkedAt, differences, found } = check!
    const isNews = JSON.stringify(found) !== JSON.stringify(before?.found)
    if (differences > 0 && isNews)
      await emitToHolders(tx, 'recharge', 'ledger.unbalanced', { checkedAt, differences })
    const old = lt(ledgerChecks.at, sql`now() - make_interval(days => ${KEEP_DAYS})`)
    await tx.db.delete(ledgerChecks).where(old)
    return check!
  })
  const { differences, found } = check
  if (differences > 0) ctx.log.error({ differences, found }, 'the ledger does not add up')
  return check
}
