import { type SQLWrapper, sql } from 'drizzle-orm'
import type { Db } from './client.ts'

/**
 * Of a list that may be long: `total` counts no further, and pages lead no further, because they would take longer than a
 * statement may.
 */
export const MAX_COUNTED = 10_000

/** The rows of a page: none behind {@link MAX_COUNTED}. */
export function pageWithin({ page, pageSize }: { page: number; pageSize: number }) {
  const offset = Math.min((page - 1) * pageSize, MAX_COUNTED)
  return { offset, limit: Math.min(pageSize, MAX_COUNTED - offset) }
}

/** Counts the rows of a query, up to {@link MAX_COUNTED}. */
export async function countWithin(db: Db, rows: SQLWrapper): Promise<number> {
  const [counted] = await db.execute<{ total: number }>(
    sql`select count(*)::int as total from (${rows} limit ${MAX_COUNTED}) counted`,
  )
  return counted!.total
}
