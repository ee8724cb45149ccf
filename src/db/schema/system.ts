import { jsonb, pgTable, text } from 'drizzle-orm/pg-core'

/** Facts about this database (`epoch`) and settings that administrators change at run time. */
export const settings = pgTable('settings', {
  key: text('key').primaryKey(),
  value: jsonb('value').notNull(),
})
