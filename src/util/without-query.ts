/**
 * The driver's error in place of Drizzle's, whose message has the whole query and its parameters in it, among them
 * somebody's password hash, and hides the error's code.
 */
export const withoutQuery = (error: unknown): unknown =>
  error instanceof Error && error.cause && 'query' in error && 'params' in error ? error.cause : error

/** The message of an error for people, without a query. */
export const messageOf = (error: unknown): string => (withoutQuery(error) as Error).message
