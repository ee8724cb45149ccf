import { index, integer, pgTable, primaryKey, serial, text, uuid } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant, minor } from './columns.ts'

/** Its pages are filled to 85 percent (migration 0015), so that a redemption changes `used_count` without new entries in the indexes. */
export const rechargeCodes = pgTable(
  'recharge_codes',
  {
    id: serial('id').primaryKey(),
    uuid: uuid('uuid').notNull().unique(),
    /** Keyed hash of the code, for looking it up. */
    codeHash: text('code_hash').notNull().unique(),
    /** The code, sealed (`ctx.sealed`), so that administrators can read it again. */
    codeSealed: text('code_sealed').notNull(),
    amountMinor: minor('amount_minor').notNull(),
    description: text('description').notNull().default(''),
    maxUses: integer('max_uses').notNull(),
    usedCount: integer('used_count').notNull().default(0),
    expiresAt: instant('expires_at'),
    disabledAt: instant('disabled_at'),
    createdBy: integer('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('recharge_codes_creator_idx').on(t.createdBy)],
)

/** A code that a user has redeemed. The row stays, like the entries of the ledger to which it belongs. */
export const redemptions = pgTable(
  'redemptions',
  {
    /** The order in which records are listed. */
    id: serial('id').notNull(),
    uuid: uuid('uuid').notNull(),
    codeId: integer('code_id')
      .notNull()
      .references(() => rechargeCodes.id, { onDelete: 'restrict' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'restrict' }),
    amountMinor: minor('amount_minor').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'redemptions_once', columns: [t.codeId, t.userId] }),
    index('redemptions_user_idx').on(t.userId, t.id),
  ],
)
