import { type SQL, sql } from 'drizzle-orm'

/**
 * All sequences of `smallest` to two characters in a text, in lower case: an index on them finds names by a part. Not
 * trigrams, because a Chinese name often has two characters. Migration 0004 creates the function.
 */
export const nameGrams = (text: SQL, smallest: SQL | 1): SQL =>
  sql`name_grams(${text}, ${smallest === 1 ? sql.raw('1') : smallest})`
