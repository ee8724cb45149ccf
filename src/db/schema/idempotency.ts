import { index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

/**
 * The answers to requests with an `Idempotency-Key`, kept for 24 hours. A row is written in the transaction of the change that the
 * request makes, so that there is never one without the other.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Method and pattern of the path. */
    route: text('route').notNull(),
    key: text('key').notNull(),
    /** Keyed hash of parameters and body. */
    fingerprint: text('fingerprint').notNull(),
    /** JSON of the answer or the error, sealed (`ctx.sealed`), because answers may hold secrets. */
    answerSealed: text('answer_sealed').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.route, t.key] }),
    index('idempotency_keys_created_idx').on(t.createdAt),
  ],
)
