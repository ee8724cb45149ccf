/**
 * The double-entry ledger: docs/design.md, "Money". A transfer has two entries of one amount: the account of the debit gives it,
 * and the account of the credit gets it. Rows of transfers and entries are only added, which triggers check (migration 0015).
 */
import { sql } from 'drizzle-orm'
import {
  bigserial,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, minor } from './columns.ts'

/** What a user has, and the part of it that is held for unfinished tasks. */
export const USER_ACCOUNTS = ['available', 'held'] as const
/** They have no rows and no stored balance, because every transfer of every user would wait for the row. */
export const SYSTEM_ACCOUNTS = ['recharge', 'revenue', 'adjustment'] as const

export const TRANSFER_KINDS = ['hold', 'release', 'capture', 'adjustment', 'redemption'] as const

/** A trigger on `users` makes the two accounts of a new user. */
export const ledgerAccounts = pgTable(
  'ledger_accounts',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'restrict' }),
    kind: text('kind', { enum: USER_ACCOUNTS }).notNull(),
    /** The sum of the account's entries, kept with them in one statement. */
    balanceMinor: minor('balance_minor').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.kind] }),
    check('ledger_accounts_kind', sql`${t.kind} in ('available', 'held')`),
    check('ledger_accounts_not_negative', sql`${t.balanceMinor} >= 0`),
  ],
)

export const ledgerTransfers = pgTable('ledger_transfers', {
  id: uuid('id').primaryKey(),
  kind: text('kind', { enum: TRANSFER_KINDS }).notNull(),
  /** The idempotency key: a transfer whose key is taken is not made again. */
  key: text('key').notNull().unique(),
  /** UUID of the task or redemption that the transfer belongs to; it stays when that row is deleted. */
  reference: uuid('reference'),
  createdBy: integer('created_by'),
  // Of the moment in which the account is locked, and not of the start of the transaction, so that it grows with the entries of
  // an account.
  createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
})

export const ledgerEntries = pgTable(
  'ledger_entries',
  {
    /** The order of a user's entries. */
    id: bigserial('id', { mode: 'number' }).notNull(),
    transferId: uuid('transfer_id')
      .notNull()
      .references(() => ledgerTransfers.id, { onDelete: 'restrict' }),
    /** Null for an account of the system. */
    userId: integer('user_id'),
    account: text('account', { enum: [...USER_ACCOUNTS, ...SYSTEM_ACCOUNTS] }).notNull(),
    side: text('side', { enum: ['debit', 'credit'] }).notNull(),
    amountMinor: minor('amount_minor').notNull(),
  },
  (t) => [
    primaryKey({ name: 'ledger_entries_side', columns: [t.transferId, t.side] }),
    foreignKey({
      name: 'ledger_entries_account_fk',
      columns: [t.userId, t.account],
      foreignColumns: [ledgerAccounts.userId, ledgerAccounts.kind],
    }).onDelete('restrict'),
    index('ledger_entries_user_idx').on(t.userId, t.id).where(sql`${t.userId} is not null`),
    check(
      'ledger_entries_known_account',
      sql`(${t.userId} is not null and ${t.account} in ('available', 'held'))
      or (${t.userId} is null and ${t.account} in ('recharge', 'revenue', 'adjustment'))`,
    ),
    check('ledger_entries_known_side', sql`${t.side} in ('debit', 'credit')`),
    check('ledger_entries_positive', sql`${t.amountMinor} > 0`),
  ],
)

export interface LedgerDifference {
  /** `account`: its entries do not add up to the stored balance. `transfer`: its entries do not cancel out. `hold`: the tasks hold another amount. */
  what: 'account' | 'transfer' | 'hold'
  /** `<user id>:available`, `<user id>:held` or the UUID of a transfer. */
  name: string
  storedMinor: number
  foundMinor: number
}

/** Results of the hourly check (core/reconciliation). Health shows the newest one. */
export const ledgerChecks = pgTable('ledger_checks', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  at: instant('at').notNull().default(sql`now()`),
  transfers: minor('transfers').notNull(),
  /** The sums of all debits and of all credits. */
  debitMinor: minor('debit_minor').notNull(),
  creditMinor: minor('credit_minor').notNull(),
  /** The sum of the users' stored balances, held amounts included. */
  balanceMinor: minor('balance_minor').notNull(),
  /** How many accounts, transfers and holds are not right, and the first of them. */
  differences: integer('differences').notNull(),
  found: jsonb('found').$type<LedgerDifference[]>().notNull(),
})
