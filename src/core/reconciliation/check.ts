/** Compares the ledger with itself and with the tasks, in short statements: docs/operations.md, "Money". */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { preparedSql } from '../../db/prepared.ts'
import type { LedgerDifference, ledgerChecks } from '../../db/schema/index.ts'
import { UNFINISHED } from '../tasks/states.ts'

type Comparison = Omit<typeof ledgerChecks.$inferInsert, 'id' | 'at'>

/** Rows of one step. While the embedded database reads them, some 10 ms, it answers nobody else. */
const STEP = 2000
/** A check stores so many differences, and counts the others. */
const STORED_DIFFERENCES = 20

/**
 * Compares the entries with the stored balances, the held amounts with the holds of unfinished tasks, and the entries of each
 * transfer with each other. Each step is one statement, which sees an account with all its entries and tasks, and a transfer with
 * its entries, as they were at one moment. So transfers that are made meanwhile are no difference, and no step takes long.
 * @param options.step rows of one step, 3 or more
 * @param options.signal ends the check before its next step, with the reason of the signal
 */
export async function checkLedger(
  db: Db,
  { step = STEP, signal }: { step?: number; signal?: AbortSignal | undefined } = {},
): Promise<Comparison> {
  const all = { transfers: 0, debitMinor: 0, creditMinor: 0, balanceMinor: 0, differences: 0 }
  const found: LedgerDifference[] = []
  const add = (row: Differences) => {
    all.differences += row.differences
    found.push(...row.found.slice(0, STORED_DIFFERENCES - found.length))
  }
  for (let place: AccountPlace | null = { userId: 0, entryId: 0, available: 0, held: 0 }; place; ) {
    signal?.throwIfAborted()
    const [row]: AccountStep[] = await accountStep(db).execute({ ...place, step })
    all.balanceMinor += row!.balance
    add(row!)
    place = row!.next
  }
  for (let after: string | null = FIRST_ID; after; ) {
    signal?.throwIfAborted()
    const [row]: TransferStep[] = await transferStep(db).execute({ after, step })
    all.transfers += row!.transfers
    all.debitMinor += row!.debit
    all.creditMinor += row!.credit
    add(row!)
    after = row!.last
  }
  return { ...all, found }
}

interface Differences {
  differences: number
  found: LedgerDifference[]
}

/** Users before `userId` are compared, and so much of the entries of `userId` up to `entryId` is added up. */
interface AccountPlace {
  userId: number
  entryId: number
  available: number
  held: number
}

interface AccountStep extends Differences {
  balance: number
  /** Null after the last user. */
  next: AccountPlace | null
}

interface TransferStep extends Differences {
  transfers: number
  debit: number
  credit: number
  /** Null after the last transfer. */
  last: string | null
}

const value = sql.placeholder
const step = sql`${value('step')}::int`
const signed = sql.raw(`case side when 'credit' then amount_minor else -amount_minor end`)
const unfinished = sql.join(
  UNFINISHED.map((status) => sql.raw(`'${status}'`)),
  sql`, `,
)

/** The differences of a step: the relation `wrong` has the columns `what`, `name`, `stored` and `found`, and `at` for their order. */
const differences = sql`
  (select count(*)::int from wrong) as differences,
  (select coalesce(jsonb_agg(jsonb_build_object('what', what, 'name', name, 'storedMinor', stored, 'foundMinor', found) order by at, what), '[]')
    from (select * from wrong order by at, what limit ${sql.raw(String(STORED_DIFFERENCES))}) first) as found`

/**
 * The accounts and entries that come next. Those of a user may go on behind the step: then `upto` is the user before, and the sums of
 * what was read go on with the next step. Nothing is missed, because entries of a user are added under the lock of the accounts,
 * so that a later one has a higher id.
 */
const accountStep = preparedSql<AccountStep>(
  'ledger_account_step',
  sql`
    with accounts as materialized (
      select user_id, kind, balance_minor from ledger_accounts
      where user_id >= ${value('userId')}::int order by user_id, kind limit ${step}
    ), entries as materialized (
      select user_id, id, account, ${signed} as amount from ledger_entries
      where user_id is not null and (user_id, id) > (${value('userId')}::int, ${value('entryId')}::bigint)
      order by user_id, id limit ${step}
    ), last as materialized (
      select (select max(user_id) from accounts having count(*) = ${step}) as account_user,
        (select max(user_id) from entries having count(*) = ${step}) as entry_user
    ), upto as materialized (
      select least(account_user, entry_user) - 1 as upto from last
    ), sums as materialized (
      select user_id, account, sum(amount) as amount from (
        select user_id, account, amount from entries
        union all select ${value('userId')}::int, 'available', ${value('available')}::bigint
        union all select ${value('userId')}::int, 'held', ${value('held')}::bigint
      ) read group by user_id, account
    ), compared as materialized (
      select a.user_id, a.kind, a.balance_minor as stored, coalesce(s.amount, 0) as booked,
        case a.kind when 'held' then (
          select coalesce(sum(t.held_minor), 0) from tasks t where t.user_id = a.user_id and t.status in (${unfinished})
        ) end as by_tasks
      from accounts a cross join upto left join sums s on s.user_id = a.user_id and s.account = a.kind
      where upto is null or a.user_id <= upto
    ), wrong as materialized (
      select user_id as at, 'account' as what, user_id || ':' || kind as name, stored, booked as found from compared where stored <> booked
      union all
      select user_id, 'hold', user_id || ':held', stored, by_tasks from compared where stored <> by_tasks
    )
    select (select coalesce(sum(stored), 0)::float8 from compared) as balance, ${differences},
      case
        when upto is null then null
        when entry_user > upto + 1 or entry_user is null then json_build_object('userId', upto + 1, 'entryId', 0, 'available', 0, 'held', 0)
        else json_build_object('userId', entry_user, 'entryId', (select max(id) from entries where user_id = entry_user),
          'available', (select coalesce(sum(amount), 0) from sums where user_id = entry_user and account = 'available'),
          'held', (select coalesce(sum(amount), 0) from sums where user_id = entry_user and account = 'held'))
      end as next
    from last, upto`,
)

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const LAST_ID = sql.raw(`'ffffffff-ffff-ffff-ffff-ffffffffffff'`)

/** The transfers that come next, and all entries between their ids: also entries without a transfer. */
const transferStep = preparedSql<TransferStep>(
  'ledger_transfer_step',
  sql`
    with transfers as materialized (
      select id from ledger_transfers where id > ${value('after')}::uuid order by id limit ${step}
    ), upto as materialized (
      select case when (select count(*) from transfers) = ${step} then (select id from transfers order by id desc limit 1) end as last
    ), entries as materialized (
      select transfer_id, count(*) as n, sum(${signed}) as rest, sum(amount_minor) filter (where side = 'debit') as debit,
        sum(amount_minor) filter (where side = 'credit') as credit
      from ledger_entries
      where transfer_id > ${value('after')}::uuid and transfer_id <= coalesce((select last from upto), ${LAST_ID})
      group by transfer_id
    ), wrong as materialized (
      select coalesce(t.id, e.transfer_id) as at, 'transfer' as what, coalesce(t.id, e.transfer_id)::text as name, 0 as stored,
        coalesce(e.rest, 0) as found
      from transfers t full join entries e on e.transfer_id = t.id
      where t.id is null or e.n is distinct from 2 or e.rest <> 0
    )
    select (select count(*)::int from transfers) as transfers, (select coalesce(sum(debit), 0)::float8 from entries) as debit,
      (select coalesce(sum(credit), 0)::float8 from entries) as credit, ${differences}, last
    from upto`,
)
