import { readTogether } from '../../core/errors.ts'
import { readDay } from '../../http/days.ts'

/**
 * Reads the days of a list's query.
 * @throws AppError VALIDATION_FAILED with each of them that does not exist
 */
export const readDays = (query: { date_from?: string | undefined; date_to?: string | undefined }) =>
  readTogether(
    () => readDay('date_from', query.date_from),
    () => readDay('date_to', query.date_to),
  )
