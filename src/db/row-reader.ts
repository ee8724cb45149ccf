import { getTableColumns, type InferSelectModel } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

/** Reads rows of a `returning *` or `select *` that is written as SQL: the fields are those of the query builder. */
export function rowReader<T extends PgTable>(
  table: T,
): (row: Record<string, unknown>) => InferSelectModel<T> {
  const columns = Object.entries(getTableColumns(table))
  return (row) => {
    const read: Record<string, unknown> = {}
    for (const [field, column] of columns) {
      const value = row[column.name]
      read[field] = value === null ? null : column.mapFromDriverValue(value)
    }
    return read as InferSelectModel<T>
  }
}
