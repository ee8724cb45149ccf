import { invalid } from '../errors.ts'

/** What a calendar can be asked about: years that every part, the database and iCalendar included, can write. */
const EARLIEST = Date.UTC(1900, 0, 1)
export const LATEST = new Date(Date.UTC(3000, 0, 1))
/** What no date of four digits a year can write, nor the database read. */
const YEAR_10000 = Date.parse('+010000-01-01T00:00:00Z')

/**
 * The IANA zone of this name, spelt properly. Offsets such as `+08:00` are no zones: they know no daylight saving.
 * @throws AppError VALIDATION_FAILED
 */
export function timezoneNamed(name: string): string {
  try {
    const zone = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    if (!/^[+-]/.test(zone)) return zone
  } catch {
    // Not a zone, told below.
  }
  throw invalid('timezone', 'timezone')
}

const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?$/

/**
 * Reads a time as RFC 3339 has it. One without an offset is a wall clock's in `timezone`: in the hour that a clock
 * skips it is the one after, in the hour that it shows twice the first.
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function readTime(field: string, text: string, timezone: string): Date {
  const at = epochMs(field, () => timeOf(text, timezone))
  if (at < EARLIEST || at >= LATEST.getTime()) throw invalid(field, 'date')
  return new Date(at)
}

/** What a clock in `timezone` shows at a moment, which may be in ms since the epoch. */
export const onClock = (at: Date | number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(+at).toZonedDateTimeISO(timezone)

/**
 * Reads a time that has its offset, the year 9999 for "always" included: no calendar is asked about it.
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function readInstant(field: string, text: string): Date {
  const at = epochMs(field, () => timeOf(text, 'UTC'))
  if (at < EARLIEST || at >= YEAR_10000) throw invalid(field, 'date')
  return new Date(at)
}

/** Where a list begins or ends: a moment, or a whole day in `timezone`, as its first moment and that of the next. */
export interface Bound {
  first: Date
  end: Date
}

/**
 * Reads a day, or a time as `readTime` does. What is out of reach, such as the year 9999 for "always", is brought
 * within it.
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function readBound(field: string, text: string, timezone: string): Bound {
  const bound = (read: () => { epochMilliseconds: number }) =>
    new Date(Math.min(Math.max(epochMs(field, read), EARLIEST), LATEST.getTime()))
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) {
    const moment = bound(() => timeOf(text, timezone))
    return { first: moment, end: moment }
  }
  const day = (add: number) => Temporal.PlainDate.from(text).add({ days: add }).toZonedDateTime(timezone)
  return { first: bound(() => day(0)), end: bound(() => day(1)) }
}

function timeOf(text: string, timezone: string): { epochMilliseconds: number } {
  const [, date, time, offset] = DATE_TIME.exec(text) ?? []
  if (!date) throw new RangeError('not a time')
  const local = `${date}T${time}`
  return offset
    ? Temporal.Instant.from(local + offset.toUpperCase())
    : Temporal.PlainDateTime.from(local).toZonedDateTime(timezone)
}

/** `read` fails with a RangeError for a day or an hour that no calendar or clock has. */
function epochMs(field: string, read: () => { epochMilliseconds: number }): number {
  try {
    return read().epochMilliseconds
  } catch (error) {
    throw error instanceof RangeError ? invalid(field, 'date') : error
  }
}
