import { bigint, jsonb, pgTable, serial, text } from 'drizzle-orm/pg-core'
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
  endedAt: instant('ended_at'),
})
