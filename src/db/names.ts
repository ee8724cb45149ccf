/** Finding people by a part of their name, with an index. */
import { type SQL, sql } from 'drizzle-orm'

/**
 * All sequences of `smallest` to two characters in a text, in lower case. Not trigrams: a Chinese name often has two
 * characters. The function is made in migration 0004.
 */
export const nameGrams = (text: SQL, smallest: SQL | 1): SQL =>
  sql`name_grams(${text}, ${smallest === 1 ? sql.raw('1') : smallest})`
