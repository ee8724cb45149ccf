/**
 * The driver's error. Drizzle's error hides its code, and has a message with the whole query and its parameters, perhaps
 * somebody's password hash.
 */
export const withoutQuery = (error: unknown): unknown =>
  error instanceof Error && error.cause && 'query' in error && 'params' in error ? error.cause : error

/** The message of an error for people, without a query. */
export const messageOf = (error: unknown): string => (withoutQuery(error) as Error).message
