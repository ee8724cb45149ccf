/** Transfers of the double-entry ledger: docs/design.md, "Money". */
import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { violatedCheck } from '../../db/errors.ts'
import { preparedSql } from '../../db/prepared.ts'
import type { SYSTEM_ACCOUNTS, TRANSFER_KINDS, USER_ACCOUNTS } from '../../db/schema/index.ts'
import { type EventColumns, eventColumns, eventOf, numberInStatement, withEvent } from '../channel/log.ts'
import { type Context, isTx, type Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { singleStatement } from '../transaction.ts'
import { toMajor } from './amounts.ts'

export type TransferKind = (typeof TRANSFER_KINDS)[number]
type UserAccount = (typeof USER_ACCOUNTS)[number]
type Account = UserAccount | (typeof SYSTEM_ACCOUNTS)[number]

export interface Transfer {
  kind: TransferKind
  /** More than 0; an adjustment that lowers the balance is less. */
  amountMinor: number
  /** The idempotency key: `task:<uuid>:<submission>:hold`, `redemption:<uuid>`, `adjustment:<uuid>`. */
  key: string
  /** UUID of the task or redemption. */
  reference?: string | undefined
  /** Id of the user who makes it, unless the server does. */
  createdBy?: number | undefined
}

/** From which account a transfer goes to which. */
const ROUTES: Record<TransferKind, { from: Account; to: Account }> = {
  hold: { from: 'available', to: 'held' },
  release: { from: 'held', to: 'available' },
  capture: { from: 'held', to: 'revenue' },
  redemption: { from: 'recharge', to: 'available' },
  adjustment: { from: 'adjustment', to: 'available' },
}

/** What a user has. */
export interface Balance {
  /** Held amounts included. */
  balanceMinor: number
  availableMinor: number
}

export interface Posted extends Balance {
  /** The transfers that were made: those whose keys were new. */
  made: { kind: TransferKind; before: Balance; after: Balance }[]
  /** The user is warned when the available balance falls below it; null for no warning. */
  lowBalanceMinor: number | null
}

/**
 * Moves money of one user, in one statement, and tells the user. A transfer whose key is taken changes nothing.
 * @returns the balance afterwards, and whether the transfer was made
 * @throws AppError INSUFFICIENT_BALANCE
 */
export async function transfer(
  tx: Tx,
  userId: number,
  input: Transfer,
): Promise<Balance & { isRepeated: boolean }> {
  const { balanceMinor, availableMinor, made } = await transferAll(tx, userId, [input])
  return { balanceMinor, availableMinor, isRepeated: made.length === 0 }
}

/** {@link transfer} for several transfers of one user, still in one statement. */
export async function transferAll(tx: Tx, userId: number, transfers: Transfer[]): Promise<Posted> {
  const posted = await postTransfers(tx.db, userId, transfers)
  tellOwner(tx, userId, posted)
  return posted
}

/** Emits the events of transfers: one for each, and a warning when they took the available balance below the threshold. */
export function tellOwner(tx: Tx, userId: number, { made, lowBalanceMinor: threshold }: Posted): void {
  for (const { kind, after } of made) {
    const [balance, available] = [toMajor(after.balanceMinor), toMajor(after.availableMinor)]
    tx.emit(userId, 'balance.changed', { balance, available, reason: kind })
  }
  const [first, last] = [made.at(0), made.at(-1)]
  if (threshold === null || !first || !last) return
  if (first.before.availableMinor >= threshold && last.after.availableMinor < threshold)
    tx.emit(userId, 'balance.low', { ...last.after, thresholdMinor: threshold })
}

/**
 * The statement alone, without events.
 * @throws AppError INSUFFICIENT_BALANCE
 */
export async function postTransfers(db: Db, userId: number, transfers: Transfer[]): Promise<Posted> {
  const rows = transfers.map((input, n) => ({ n, ...rowOf(input) }))
  const [found] = await insertTransfers(db)
    .execute({
      userId,
      transfers: JSON.stringify(rows),
    })
    .catch((error) => {
      if (violatedCheck(error) === 'ledger_accounts_not_negative') throw new AppError('INSUFFICIENT_BALANCE')
      throw error
    })
  if (!found) throw new Error(`User ${userId} has no accounts`)
  return readPosted(found, rows)
}

/**
 * A statement that makes a change and the transfer that the change asks for. The transfer must not take from the available
 * balance, because its only event is `balance.changed`. Outside of a transaction the statement appends the event itself.
 * @param change CTEs, of which the last one is `paid` and has a row with the `amount` of the transfer, or none for no transfer
 * @returns undefined without a transfer
 */
export function transferAfter(name: string, change: SQL) {
  const wanted = sql`${change}, wanted as (
      select 0 as n, t.id, t.kind, t.key, t.reference, t.by, t.debit, t.credit, paid.amount
      from paid, json_to_record(${value('transfer')}::text::json) as t(id uuid, kind text, key text, reference uuid, by int,
        debit text, credit text)
    )`
  const inTransaction = statementOf(name, wanted)
  const alone = statementWithEventOf(`${name}_alone`, wanted)
  return async (
    ctx: Context | Tx,
    userId: number,
    input: Omit<Transfer, 'amountMinor'>,
    values: Record<string, unknown>,
  ): Promise<(Balance & { amountMinor: number }) | undefined> => {
    const row = rowOf({ ...input, amountMinor: 1 })
    const all = { ...values, userId, transfer: JSON.stringify(row) }
    const read = (found: FoundRow | undefined) => {
      if (!found) throw new Error(`User ${userId} has no accounts`)
      const amountMinor = Number(found.amount)
      return { ...readPosted(found, [{ ...row, amount: amountMinor }]), amountMinor }
    }
    if (isTx(ctx)) {
      const posted = read((await inTransaction(ctx.db).execute(all))[0])
      tellOwner(ctx, userId, posted)
      return posted.made.length > 0 ? posted : undefined
    }
    const event = JSON.stringify(ctx.presentEvent('balance.changed', { ...NEW_BALANCE, reason: input.kind }))
    return singleStatement(ctx, async (db) => {
      const [found] = await alone(db).execute({ ...all, event })
      const posted = read(found)
      const about = { userId, type: 'balance.changed' }
      return { result: posted.made.length > 0 ? posted : undefined, event: found && eventOf(found, about) }
    })
  }
}

function rowOf({ kind, amountMinor, key, reference, createdBy }: Transfer) {
  const { from, to } = ROUTES[kind]
  const isReversed = kind === 'adjustment' && amountMinor < 0
  const amount = isReversed ? -amountMinor : amountMinor
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new Error(`Not an amount: ${amountMinor}`)
  return {
    id: Bun.randomUUIDv7(),
    kind,
    key,
    reference,
    by: createdBy,
    debit: isReversed ? to : from,
    credit: isReversed ? from : to,
    amount,
  }
}

/** Follows the balance through the transfers that were made. */
function readPosted(found: FoundRow, rows: ReturnType<typeof rowOf>[]): Posted {
  const account = { available: Number(found.available), held: Number(found.held) }
  const isOwn = (name: Account): name is UserAccount => name in account
  const current = (): Balance => ({
    balanceMinor: account.available + account.held,
    availableMinor: account.available,
  })
  const made: Posted['made'] = []
  for (const { id, kind, debit, credit, amount } of rows) {
    if (!found.made?.includes(id)) continue
    const before = current()
    if (isOwn(debit)) account[debit] -= amount
    if (isOwn(credit)) account[credit] += amount
    made.push({ kind, before, after: current() })
  }
  const lowBalanceMinor = found.lowBalance === null ? null : Number(found.lowBalance)
  return { ...current(), made, lowBalanceMinor }
}

interface FoundRow extends Record<string, unknown> {
  /** Of both accounts before the transfers. */
  available: string
  held: string
  lowBalance: string | null
  made: string[] | null
  /** Of the transfers together. */
  amount: string | null
}

const value = sql.placeholder

/** In the data of the event of {@link statementWithEventOf}: the balance after the transfer, see `newId`. */
const NEW_BALANCE = { balance: numberInStatement('balance'), available: numberInStatement('available') }

const major = (column: string) => sql.raw(`trim_scale(r.${column} / 100.0)::text`)
const placeOf = (name: number) => sql.raw(`'${JSON.stringify(name)}'`)
const withBalance = sql`replace(replace(${value('event')}, ${placeOf(NEW_BALANCE.balance)}, ${major('balance')}),
        ${placeOf(NEW_BALANCE.available)}, ${major('available')})`
const isOwn = sql`in ('available', 'held')`

/**
 * The lock of `locked` is what transfers of one user wait for: the balances that it reads are the newest ones. A balance below
 * zero violates `ledger_accounts_not_negative`. The count makes PostgreSQL evaluate `wanted` first: what `wanted` locks, such as the
 * row of the user, is locked before the accounts everywhere.
 */
const moving = (wanted: SQL) => sql`
    with ${wanted}, locked as materialized (
      select kind, balance_minor from ledger_accounts
      where user_id = ${value('userId')}::int and (select count(*) from wanted) >= 0
      order by kind for no key update
    ), before as materialized (
      select max(balance_minor) filter (where kind = 'available') as available,
        max(balance_minor) filter (where kind = 'held') as held
      from locked having count(*) = 2
    ), made as (
      insert into ledger_transfers (id, kind, key, reference, created_by)
      select id, w.kind, key, reference, by from before, wanted w order by n
      on conflict (key) do nothing
      returning id
    ), sides as (
      select w.n, w.id, w.amount, s.side, s.account
      from made join wanted w using (id)
        cross join lateral (values ('debit', w.debit), ('credit', w.credit)) s(side, account)
    ), entries as (
      insert into ledger_entries (transfer_id, user_id, account, side, amount_minor)
      select id, case when account ${isOwn} then ${value('userId')}::int end, account, side, amount
      from sides order by n, side desc
    ), changes as (
      select account, sum(case side when 'credit' then amount else -amount end)::bigint as change
      from sides where account ${isOwn} group by account
    ), moved as (
      update ledger_accounts a set balance_minor = a.balance_minor + c.change
      from changes c where a.user_id = ${value('userId')}::int and a.kind = c.account
    )`
const foundColumns = sql`b.available, b.held, u.low_balance_minor as "lowBalance", (select json_agg(id) from made) as made,
      (select sum(amount) from wanted) as amount`

const statementOf = (name: string, wanted: SQL) =>
  preparedSql<FoundRow>(
    name,
    sql`${moving(wanted)} select ${foundColumns} from before b, users u where u.id = ${value('userId')}::int`,
  )

const statementWithEventOf = (name: string, wanted: SQL) =>
  preparedSql<FoundRow & EventColumns>(
    name,
    sql`${moving(wanted)}, told as (
      select u.id, u.id as user_id, b.available + b.held + sum(c.change) as balance,
        b.available + coalesce(sum(c.change) filter (where c.account = 'available'), 0) as available
      from before b, changes c, users u where u.id = ${value('userId')}::int
      group by u.id, b.available, b.held
    ), ${withEvent('told', sql`'balance.changed'`, withBalance)}
    select ${foundColumns}, ${eventColumns} from before b join users u on u.id = ${value('userId')}::int left join event on true`,
  )

const insertTransfers = statementOf(
  'insert_transfers',
  sql`wanted as (
      select * from json_to_recordset(${value('transfers')}::text::json) as w(n int, id uuid, kind text, key text,
        reference uuid, by int, debit text, credit text, amount bigint)
    )`,
)
