import { withoutQuery } from './without-query.ts'

/** A mistake of the operator or of the machine that keeps a program from doing its work. `message` says what to do. */
export class StartupError extends Error {
  override name = 'StartupError'
}

/** Ends the program with the message of a StartupError and exit code 1. Any other error is thrown again. */
export function exitWithMessage(error: unknown): never {
  if (!(error instanceof StartupError)) throw withoutQuery(error)
  console.error(error.message)
  process.exit(1)
}
