import { type SQL, sql } from 'drizzle-orm'

/** A `timestamptz` as text: RFC 3339 in UTC, with milliseconds. */
export const rfc3339 = (time: unknown) =>
  sql<string>`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The beginning of a day (YYYY-MM-DD) in UTC. */
export const startOfDay = (day: string): SQL => sql`${`${day}T00:00:00Z`}::text::timestamptz`
