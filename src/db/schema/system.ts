import { bigint, integer, jsonb, pgTable, serial, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Facts about this database (`epoch`) and settings that administrators change at run time. */
export const settings = pgTable('settings', {
  key: text('key').primaryKey(),
  value: jsonb('value').notNull(),
})

/**
 * How often each kind of data has changed. A change adds one in its transaction, so a reader who knows the number knows whether
 * what it has kept is still true.
 */
export const generations = pgTable('generations', {
  domain: text('domain').primaryKey(),
  value: bigint('value', { mode: 'number' }).notNull(),
})

/** Backups that this installation has made. */
export const backups = pgTable('backups', {
  id: serial('id').primaryKey(),
  status: text('status', { enum: ['running', 'completed', 'failed'] }).notNull(),
  fileName: text('file_name').notNull(),
  /** Bytes. */
  size: bigint('size', { mode: 'number' }),
  error: text('error'),
  startedAt: instant('started_at').notNull().defaultNow(),
  /** Until then the server deletes no object that the backup may still have to read. The running backup moves it on. */
  leasedUntil: instant('leased_until').notNull(),
  endedAt: instant('ended_at'),
  /** When the administrators were told how it ended. */
  announcedAt: instant('announced_at'),
})

/** Jobs that waited when a backup was made. The first start after the restore hands them to the job queue. */
export const restoredJobs = pgTable('restored_jobs', {
  id: serial('id').primaryKey(),
  queue: text('queue').notNull(),
  payload: jsonb('payload').notNull(),
  singletonKey: text('singleton_key'),
  turn: text('turn'),
  priority: integer('priority').notNull().default(0),
  startAfter: instant('start_after'),
})
