import { isOwnerDeleted, isUnavailable, isUnstorable } from '../db/errors.ts'
import { AppError } from './errors.ts'

/** A database error as one of our own errors; undefined for an error that nobody expected. */
export function databaseFault(error: unknown): AppError | undefined {
  if (isUnavailable(error)) return new AppError('DATABASE_UNAVAILABLE')
  if (isOwnerDeleted(error)) return new AppError('INVALID_TOKEN')
  if (!isUnstorable(error)) return undefined
  // The reader of a body refuses such characters, so the value came with the URL.
  return new AppError('VALIDATION_FAILED', { part: 'query', issues: [{ field: '', rule: 'characters' }] })
}
