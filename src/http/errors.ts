import { ParseError, ValidationError } from 'elysia'
import { databaseFault } from '../core/database-faults.ts'
import { AppError, invalid } from '../core/errors.ts'
import type { Logger } from '../util/logger.ts'
import { messageOf } from '../util/without-query.ts'
import { fromSchemaError } from './validation.ts'

/**
 * Turns whatever a request threw into an AppError. An unexpected error is logged in full, and the client gets only
 * INTERNAL.
 */
export function toAppError(error: unknown, log: Logger): AppError {
  // Elysia wraps what the reader of a body throws, and what is checked before the body is read.
  const thrown = error instanceof ParseError ? error.cause : error
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof ValidationError) return fromSchemaError(thrown)
  const fault = databaseFault(thrown)
  if (fault?.code === 'DATABASE_UNAVAILABLE') {
    log.warn({ reason: messageOf(thrown) }, 'the database is not available')
  }
  if (fault) return fault
  if (error instanceof ParseError) return invalid('', 'json')
  log.error({ err: error }, 'a request failed')
  return new AppError('INTERNAL')
}
