import { ParseError, ValidationError } from 'elysia'
import { databaseFault } from '../core/database-faults.ts'
import { AppError, invalid } from '../core/errors.ts'
import { type Logger, withoutQuery } from '../util/logger.ts'
import { fromSchemaError } from './validation.ts'

/**
 * Turns whatever a request threw into an AppError. An unexpected error is logged in full, and the client gets only
 * INTERNAL.
 */
export function toAppError(error: unknown, log: Logger): AppError {
  if (error instanceof AppError) return error
  if (error instanceof ValidationError) return fromSchemaError(error)
  if (error instanceof ParseError) {
    // Elysia wraps an error that the reader of a body throws.
    return error.cause instanceof AppError ? error.cause : invalid('', 'json')
  }
  const fault = databaseFault(error)
  if (fault?.code === 'DATABASE_UNAVAILABLE') {
    log.warn({ reason: (withoutQuery(error) as Error).message }, 'the database is not available')
  }
  if (fault) return fault
  log.error({ err: error }, 'a request failed')
  return new AppError('INTERNAL')
}
