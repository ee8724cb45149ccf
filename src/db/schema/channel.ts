import { bigint, index, integer, json, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
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
  /**
   * For each type of event, the ids of the user's active webhooks that get it; null without any. It is here and not looked up,
   * because a writer that has waited for the lock of this row sees its newest version, and of other tables what was
   * committed before the statement began.
   */
  hooks: jsonb('hooks').$type<Record<string, number[]>>(),
})

export const events = pgTable(
  'events',
  {
    // Not the user: a foreign key locks the row that it names. The writer has the channel's lock already, and the user's lock must
    // come before those of the accounts.
    userId: integer('user_id')
      .notNull()
      .references(() => channels.userId, { onDelete: 'cascade' }),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    type: text('type').notNull(),
    // json, not jsonb, because sockets send the text as it was written.
    data: json('data').notNull(),
    at: instant('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.seq] }), index('events_at_idx').on(t.at)],
)
