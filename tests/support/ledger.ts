import { sql } from 'drizzle-orm'
import { postTransfers } from '../../src/core/money/transfers.ts'
import type { TestServer } from './server.ts'

/** Changes the available balance without an event, once for each amount. */
export async function addMoney({ ctx }: TestServer, userId: number, ...amounts: number[]): Promise<void> {
  const wanted = amounts.filter((amount) => amount !== 0)
  if (wanted.length === 0) return
  const key = () => `adjustment:${crypto.randomUUID()}`
  const transfers = wanted.map((amountMinor) => ({ kind: 'adjustment' as const, amountMinor, key: key() }))
  await postTransfers(ctx.db, userId, transfers)
}

export async function moneyOf(
  { ctx }: TestServer,
  userId: number,
): Promise<{ balance: number; held: number }> {
  const [row] = await ctx.db.execute<{ balance: number; held: number }>(sql`
    select sum(balance_minor)::float8 as balance, sum(balance_minor) filter (where kind = 'held')::float8 as held
    from ledger_accounts where user_id = ${userId}`)
  return { ...row! }
}

export interface BookedTransfer extends Record<string, unknown> {
  kind: string
  /** Below 0 when the account from which it came was the user's. */
  amount: number
  reference: string | null
  createdBy: number | null
}

/** The oldest first. A hold is below 0 and a release above, as the available balance changes. */
export async function transfersOf({ ctx }: TestServer, userId: number): Promise<BookedTransfer[]> {
  const rows = await ctx.db.execute<BookedTransfer>(sql`
    select t.kind, (case e.side when 'credit' then e.amount_minor else -e.amount_minor end)::float8 as amount, t.reference,
      t.created_by as "createdBy"
    from ledger_entries e join ledger_transfers t on t.id = e.transfer_id
    where e.user_id = ${userId} and (e.account = 'available' or t.kind = 'capture') order by e.id`)
  return rows.map((row) => ({ ...row }))
}

/** Changes of the balance: what was only held or released is left out. */
export const balanceChangesOf = async (server: TestServer, userId: number): Promise<BookedTransfer[]> =>
  (await transfersOf(server, userId)).filter(({ kind }) => kind !== 'hold' && kind !== 'release')
