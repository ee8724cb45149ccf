/** Finding people by a part of their name, with an index. */
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'

/** Both names, on lines of their own: so a line break before a text means "begins with", one after it "ends with". */
export const namesOf = (user: { username: AnyColumn; displayName: AnyColumn }): SQL =>
  sql`(E'\\n' || ${user.username} || E'\\n' || ${user.displayName} || E'\\n')`

/**
 * All sequences of `smallest` to two characters in a text, in lower case. Not trigrams: a Chinese name often has two
 * characters. The function is made in migration 0004.
 */
export const nameGrams = (text: SQL, smallest: SQL | 1): SQL =>
  sql`name_grams(${text}, ${smallest === 1 ? sql.raw('1') : smallest})`
