/** Days in queries. */
import { t } from 'elysia'
import { AppError, type Issue, readTogether } from '../../core/errors.ts'
import { isCalendarDate } from '../../util/calendar-date.ts'

/** YYYY-MM-DD; whether there is such a day is for `readDay` to say. */
export const Day = t.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })

/**
 * Reads the days of a list's query.
 * @throws AppError VALIDATION_FAILED with each of them that does not exist
 */
export const readDays = (query: { date_from?: string | undefined; date_to?: string | undefined }) =>
  readTogether(
    () => readDay('date_from', query.date_from),
    () => readDay('date_to', query.date_to),
  )

function readDay(field: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (!isCalendarDate(text)) throw invalidQuery(field, 'calendar_date')
  return text
}

export const invalidQuery = (field: string, rule: Issue['rule'], params: Issue['params'] = {}) =>
  new AppError('VALIDATION_FAILED', { part: 'query', issues: [{ field, rule, params }] })
