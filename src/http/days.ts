/** Days in queries. */
import { t } from 'elysia'
import { AppError, type Issue } from '../core/errors.ts'
import { isCalendarDate } from '../util/calendar-date.ts'

/** YYYY-MM-DD; whether there is such a day is for `readDay` to say. */
export const Day = t.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })

/** @throws AppError VALIDATION_FAILED when the day does not exist */
export function readDay<T extends string | undefined>(field: string, text: T): T {
  if (text !== undefined && !isCalendarDate(text)) throw invalidQuery(field, 'calendar_date')
  return text
}

export const invalidQuery = (field: string, rule: Issue['rule'], params: Issue['params'] = {}) =>
  new AppError('VALIDATION_FAILED', { part: 'query', issues: [{ field, rule, params }] })
