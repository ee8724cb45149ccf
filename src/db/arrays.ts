import { type Column, type SQL, sql } from 'drizzle-orm'

/** Whole numbers as an array literal of PostgreSQL. As one parameter they leave the statement the same, however many there are. */
export const arrayLiteral = (numbers: Iterable<number>): string => `{${[...numbers].join(',')}}`

export const intArray = (numbers: Iterable<number>): SQL => sql`${arrayLiteral(numbers)}::int[]`

/** UUIDs, as one parameter too. */
export const isOneOfUuids = (column: Column, uuids: readonly string[]): SQL =>
  sql`${column} in (select value::uuid from json_array_elements_text(${JSON.stringify(uuids)}::text::json))`

export const isOneOf = (column: Column, ids: Iterable<number>): SQL => sql`${column} = any(${intArray(ids)})`
