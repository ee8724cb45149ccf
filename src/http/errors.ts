import { ParseError, ValidationError } from 'elysia'
import { databaseFault } from '../core/database-faults.ts'
import { AppError, invalid } from '../core/errors.ts'
import { type Logger, withoutQuery } from '../util/logger.ts'
import { fromSchemaError } from './validation.ts'

/**
 * Any failure of a request as one of our errors. What nobody expected is logged whole and answered with nothing but
 * "internal error".
 */
export function toAppError(error: unknown, log: Logger): AppError {
  if (error instanceof AppError) return error
  if (error instanceof ValidationError) return fromSchemaError(error)
  if (error instanceof ParseError) {
    // Elysia wraps what a body reader throws.
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
