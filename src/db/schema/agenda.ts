import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

/** Data that clients attach to an item. An empty one has no version. */
export interface ItemMetadata {
  /** The client's counter, which begins with 1. */
  version?: number
  /** `#RRGGBB` */
  color?: string
  location?: string
  notes?: string
  /** Uploaded files, by reference. */
  attachments?: { material_id: number }[]
}

export const scheduleItems = pgTable(
  'schedule_items',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text('title').notNull(),
    description: text('description'),
    /** For a recurring item, the start of its first occurrence. */
    startAt: instant('start_at').notNull(),
    endAt: instant('end_at'),
    /** IANA name; a recurrence keeps its wall-clock time in it. */
    timezone: text('timezone').notNull(),
    metadata: jsonb('metadata').$type<ItemMetadata>().notNull().default({}),
    status: text('status', { enum: ['active', 'completed', 'cancelled'] })
      .notNull()
      .default('active'),
    sourceType: text('source_type', { enum: ['manual', 'agent'] })
      .notNull()
      .default('manual'),
    /** RFC 5545, without `RRULE:`; null: happens once. */
    rrule: text('rrule'),
    /** Starts of cancelled occurrences, RFC 3339. */
    exceptions: jsonb('exceptions').$type<string[]>().notNull().default([]),
    /** End of the item, or of the rule's last occurrence even if that is cancelled; null when the rule has no end. */
    lastsUntil: instant('lasts_until'),
    reminderMinutes: integer('reminder_minutes'),
    nextReminderAt: instant('next_reminder_at'),
    /** Start of the occurrence that the newest reminder was about. */
    remindedFor: instant('reminded_for'),
    /** Grows with every change; iCalendar's SEQUENCE. */
    revision: integer('revision').notNull().default(0),
    deletedAt: instant('deleted_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    // A query for a window finds the items that begin before its end and end after its start.
    index('schedule_items_user_idx').on(t.userId, t.startAt).where(sql`${t.deletedAt} is null`),
    index('schedule_items_until_idx').on(t.userId, t.lastsUntil).where(sql`${t.deletedAt} is null`),
    index('schedule_items_recurring_idx')
      .on(t.userId)
      .where(sql`${t.deletedAt} is null and ${t.rrule} is not null`),
    index('schedule_items_reminder_idx').on(t.nextReminderAt).where(sql`${t.nextReminderAt} is not null`),
  ],
)

/** The secret of a user's iCalendar feed; replaced as a whole when it is rotated. */
export const calendarFeeds = pgTable('calendar_feeds', {
  userId: integer('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  tokenHash: text('token_hash').notNull().unique(),
  createdAt: instant('created_at').notNull().defaultNow(),
})
