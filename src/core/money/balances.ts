/** Balances as parts of queries of users. */
import { type SQL, sql } from 'drizzle-orm'
import { type USER_ACCOUNTS, users } from '../../db/schema/index.ts'

// Written as SQL with the table's name, which Drizzle omits in a select from one table.
const stored = (kind: (typeof USER_ACCOUNTS)[number]): SQL =>
  sql`(select a.balance_minor from ledger_accounts a where a.user_id = ${users}.id and a.kind = ${sql.raw(`'${kind}'`)})`

/** The fields of a {@link Balance} (transfers.ts), in a query of `users`. */
export const balanceColumns = {
  balanceMinor: sql<number>`${stored('available')} + ${stored('held')}`.mapWith(Number),
  availableMinor: sql<number>`${stored('available')}`.mapWith(Number),
}
