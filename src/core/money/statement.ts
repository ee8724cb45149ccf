/** A user's own ledger: docs/contracts/factory.md, "Statement". */
import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import type { Context } from '../context.ts'
import type { Balance, TransferKind } from './transfers.ts'

export interface StatementLine extends Balance {
  at: Date
  kind: TransferKind
  balanceChangeMinor: number
  availableChangeMinor: number
  /** UUID of the task or redemption. */
  reference: string | null
  /** Of the task, while it exists. */
  title: string | null
}

const PAGE = 1000

/**
 * The transfers of a user, the oldest first, each with the balances after it. It reads from the first transfer on, because the
 * balances follow from all of them.
 * @param days in UTC, both inclusive
 */
export async function* statementOf(
  ctx: Context,
  userId: number,
  days: { from?: string | undefined; to?: string | undefined },
): AsyncGenerator<StatementLine[], void> {
  const isWanted = (day: string) => day >= (days.from ?? '') && day <= (days.to ?? '9999-12-31')
  let after = 0
  let [balanceMinor, availableMinor] = [0, 0]
  for (;;) {
    const rows = await transfersAfter(ctx.db).execute({ userId, after, page: PAGE })
    const lines: StatementLine[] = []
    for (const { at, kind, reference, title, ...row } of rows) {
      const [balanceChangeMinor, availableChangeMinor] = [Number(row.change), Number(row.available)]
      balanceMinor += balanceChangeMinor
      availableMinor += availableChangeMinor
      const time = new Date(at)
      if (!isWanted(time.toISOString().slice(0, 10))) continue
      lines.push({
        at: time,
        kind,
        balanceChangeMinor,
        balanceMinor,
        availableChangeMinor,
        availableMinor,
        reference,
        title,
      })
    }
    yield lines
    if (rows.length < PAGE) return
    after = Number(rows.at(-1)!.id)
  }
}

interface TransferRow extends Record<string, unknown> {
  id: string
  /** Milliseconds since the epoch. */
  at: number
  kind: TransferKind
  reference: string | null
  title: string | null
  /** Of the balance, and of its available part. */
  change: string
  available: string
}

const value = sql.placeholder
const signed = (entry: string) =>
  sql.raw(`case ${entry}.side when 'credit' then ${entry}.amount_minor else -${entry}.amount_minor end`)

/** Each transfer stands at its first entry of the user. Entries of a user are added under the lock of the accounts, so ids are in order. */
const transfersAfter = preparedSql<TransferRow>(
  'transfers_after',
  sql`
    select e.id, (extract(epoch from t.created_at) * 1000)::float8 as at, t.kind, t.reference, k.title,
      ${signed('e')} + case when o.user_id is null then 0 else ${signed('o')} end as change,
      case when e.account = 'available' then ${signed('e')} when o.account = 'available' then ${signed('o')} else 0 end as available
    from ledger_entries e
      join ledger_entries o on o.transfer_id = e.transfer_id and o.side <> e.side
      join ledger_transfers t on t.id = e.transfer_id
      left join tasks k on k.uuid = t.reference
    where e.user_id = ${value('userId')}::int and e.id > ${value('after')}::bigint and (o.user_id is null or e.id < o.id)
    order by e.id limit ${value('page')}::int`,
)
