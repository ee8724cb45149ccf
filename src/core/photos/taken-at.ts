import { invalid } from '../errors.ts'

const DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i

/**
 * Reads when a photo was taken, as in RFC 3339. Years begin with 100, because JavaScript reads an earlier one of PostgreSQL's
 * form (`0001-01-01 00:00:00+00`) as one of the 20th or 21st century.
 * @throws AppError VALIDATION_FAILED
 */
export function readTakenAt(text: string): Date {
  const at = DATE_TIME.test(text) ? instant(text) : undefined
  const year = at?.getUTCFullYear() ?? 0
  if (!at || year < 100 || year > 9999) throw invalid('taken_at', 'date')
  return at
}

/** Undefined for a day or an hour that does not exist. */
function instant(text: string): Date | undefined {
  try {
    return new Date(Temporal.Instant.from(text.toUpperCase()).epochMilliseconds)
  } catch {
    return undefined
  }
}
