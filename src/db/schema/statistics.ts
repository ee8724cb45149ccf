import { sql } from 'drizzle-orm'
import { bigint, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/**
 * Of how many quarters of an hour sums are kept, so that a day is some three to fourteen rows. The largest is eight hours and no
 * day, because the days of most time zones are no days of UTC. Migration 0014 has them too.
 */
export const SUMMED_QUARTERS = [32, 4, 1] as const

/**
 * Views of all photos together. Every view is in three rows: one of its quarter of an hour, because the days of every time zone
 * begin with one, and those of larger parts of the day, so that a year is few rows (`SUMMED_QUARTERS`).
 */
export const photoViews = pgTable(
  'photo_views',
  {
    quarters: integer('quarters').notNull(),
    at: instant('at').notNull(),
    count: integer('count').notNull(),
  },
  (t) => [primaryKey({ columns: [t.quarters, t.at] })],
)

/**
 * What a row counts for. The functions `counts_of` of migrations 0014 and 0015 say it for each table:
 *
 * | kind | id | name | n | total |
 * |---|---|---|---|---|
 * | `photo` | | status and visibility | photos | their views |
 * | `created_1`, `created_4`, `created_32` | how many times so many quarters of an hour since 1970 | | photos | |
 * | `combination` | | the ids of categories that photos have together: `3,11` | photos | |
 * | `tag` | tag | | photos | |
 * | `undated` | | | photos without `taken_at` | |
 * | `camera`, `lens` | | its name | photos | |
 * | `original` | | media type | files | bytes |
 * | `file_size` | how many of the limits in `FILE_SIZES` it reaches | | files | bytes |
 * | `orientation` | | `landscape`, `portrait`, `square` | files | |
 * | `rendition` | | its name | objects | bytes |
 * | `copy` | | | copies at public keys | bytes |
 * | `material` | | format | files | bytes |
 * | `owner` | user | | files | bytes with those of renditions and copies |
 * | `task` | | kind and status | tasks that have ended | |
 * | `user` | | `active`, `inactive` | accounts, without deleted ones | |
 * | `revenue` | | | entries of the ledger | minor units |
 */
const counted = {
  kind: text('kind').notNull(),
  id: integer('id').notNull().default(0),
  name: text('name').notNull().default(''),
  n: bigint('n', { mode: 'number' }).notNull(),
  total: bigint('total', { mode: 'number' }).notNull().default(0),
}

/** Numbers of rows of large tables, so that nobody counts all of them. They lack what stands in `count_changes`. */
export const counts = pgTable('counts', counted, (t) => [
  // Names may be longer than an entry of an index.
  uniqueIndex('counts_key_idx').on(t.kind, t.id, sql`md5(${t.name})`),
])

/**
 * What triggers add to the counts, in the transaction of each change. Every transaction adds rows of its own, because a row of
 * `counts` that all changed would make them wait for each other. A schedule adds these rows to `counts`.
 */
export const countChanges = pgTable('count_changes', counted)
