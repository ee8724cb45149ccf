/** The hourly check of the ledger: docs/operations.md, "Money". */
import { desc, lt, sql } from 'drizzle-orm'
import { rowReader } from '../../db/row-reader.ts'
import { ledgerChecks } from '../../db/schema/index.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import type { Context } from '../context.ts'
import { UNFINISHED } from '../tasks/states.ts'
import { transaction } from '../transaction.ts'

export type LedgerCheck = typeof ledgerChecks.$inferSelect

/** A check stores so many differences, and counts the others. */
const STORED_DIFFERENCES = 20
const KEEP_DAYS = 90

/**
 * Compares the entries with the stored balances, the entries of each transfer with each other, and the held amounts with the
 * holds of unfinished tasks, and stores the result. A difference is an error in the log, and an event for administrators when
 * the check before had not found the same.
 */
export async function reconcile(ctx: Context): Promise<LedgerCheck> {
  const check = await transaction(ctx, async (tx) => {
    const [before] = await tx.db.select().from(ledgerChecks).orderBy(desc(ledgerChecks.id)).limit(1)
    const [row] = await tx.db.execute(addCheck)
    const check = readCheck(row!)
    const isNews = JSON.stringify(check.found) !== JSON.stringify(before?.found)
    if (check.differences > 0 && isNews) {
      const data = { checkedAt: check.at, differences: check.differences }
      await emitToHolders(tx, 'recharge', 'ledger.unbalanced', data)
    }
    const old = lt(ledgerChecks.at, sql`now() - make_interval(days => ${KEEP_DAYS})`)
    await tx.db.delete(ledgerChecks).where(old)
    return check
  })
  const { differences, found } = check
  if (differences > 0) ctx.log.error({ differences, found }, 'the ledger does not add up')
  return check
}

const readCheck = rowReader(ledgerChecks)

/**
 * One statement, so that everything is read as it was at one moment, whatever is transferred meanwhile. Grouping all entries by
 * their transfers takes most of the time, so that is done only when `whole` says that some transfer is wrong: a hash of the
 * transfer, times the amount, adds up to 0 over all entries when each transfer's own amounts do.
 */
export const addCheck = sql`
  with signed as not materialized (
    select e.transfer_id, e.user_id, e.account, e.side, case e.side when 'credit' then amount_minor else -amount_minor end as amount
    from ledger_entries e
  ), accounts as materialized (
    select user_id, account, count(*) as n, sum(amount) as booked,
      sum(amount::numeric * uuid_hash_extended(transfer_id, 0)) as mark,
      sum(amount) filter (where side = 'credit') as credit, -sum(amount) filter (where side = 'debit') as debit
    from signed group by user_id, account
  ), whole as materialized (
    select coalesce(sum(n), 0) = 2 * (select count(*) from ledger_transfers) and coalesce(sum(mark), 0) = 0 as whole from accounts
  ), pairs as not materialized (
    select transfer_id, count(*) as n, sum(amount) as rest from signed group by transfer_id
  ), holds as (
    select user_id, sum(held_minor) as held from tasks
    where status in (${sql.join(
      UNFINISHED.map((status) => sql`${status}`),
      sql`, `,
    )}) and held_minor <> 0
    group by user_id
  ), differences as (
    select 'account' as what, a.user_id || ':' || a.kind as name, a.balance_minor::numeric as stored, coalesce(b.booked, 0) as found
    from ledger_accounts a left join accounts b on b.user_id = a.user_id and b.account = a.kind
    where a.balance_minor <> coalesce(b.booked, 0)
    union all
    select 'transfer', t.id::text, 0, coalesce(p.rest, 0)
    from ledger_transfers t left join pairs p on p.transfer_id = t.id
    where not (select whole from whole) and (p.n is distinct from 2 or p.rest <> 0)
    union all
    select 'hold', a.user_id || ':held', a.balance_minor, coalesce(h.held, 0)
    from ledger_accounts a left join holds h on h.user_id = a.user_id
    where a.kind = 'held' and a.balance_minor <> coalesce(h.held, 0)
  ), first as (
    select * from differences order by what, name limit ${sql.raw(String(STORED_DIFFERENCES))}
  )
  insert into ledger_checks (transfers, debit_minor, credit_minor, balance_minor, differences, found)
  select (select count(*) from ledger_transfers), coalesce(sum(debit), 0), coalesce(sum(credit), 0),
    (select coalesce(sum(balance_minor), 0) from ledger_accounts), (select count(*) from differences),
    (select coalesce(jsonb_agg(jsonb_build_object('what', what, 'name', name, 'storedMinor', stored, 'foundMinor', found)
      order by what, name), '[]') from first)
  from accounts
  returning *`
