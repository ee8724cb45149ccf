import { isUnavailable, isUnstorable } from '../db/errors.ts'
import { AppError } from './errors.ts'

/** A failure of the database that has a name among our own errors; undefined: nobody expected it. */
export function databaseFault(error: unknown): AppError | undefined {
  if (isUnavailable(error)) return new AppError('DATABASE_UNAVAILABLE')
  if (!isUnstorable(error)) return undefined
  // Bodies were looked through when they were read, so it stood in the address.
  return new AppError('VALIDATION_FAILED', { part: 'query', issues: [{ field: '', rule: 'characters' }] })
}
