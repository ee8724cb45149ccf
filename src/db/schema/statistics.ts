import { integer, pgTable } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Views of all photos together, by quarter of an hour: every time zone's days begin with one. */
export const photoViews = pgTable('photo_views', {
  at: instant('at').primaryKey(),
  count: integer('count').notNull(),
})
