import { bigint, boolean, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

/**
 * The head of each user's channel. A writer locks this row until its commit, so that sequence numbers become visible in
 * order and without gaps: a reader that has seen n never misses n+1.
 */
export const channels = pgTable('channels', {
  userId: integer('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
  /** Whether the user has an active webhook. It saves the writers of other channels a look for one. */
  hooked: boolean('hooked').notNull().default(false),
})

export const events = pgTable(
  'events',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    type: text('type').notNull(),
    // json, not jsonb, because sockets send the text as it was written.
    data: json('data').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.seq] }), index('events_at_idx').on(t.at)],
)
