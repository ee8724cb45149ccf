import { invalid } from '../errors.ts'

/** The range of the calendar: every part can write these years, also the database and iCalendar. */
const EARLIEST = Date.UTC(1900, 0, 1)
export const LATEST = new Date(Date.UTC(3000, 0, 1))
/** The first moment whose year does not fit into four digits. */
const YEAR_10000 = Date.parse('+010000-01-01T00:00:00Z')

/**
 * The IANA time zone with this name, in its canonical spelling. An offset such as `+08:00` is refused, because it has no
 * daylight saving time.
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function timezoneNamed(name: string, field = 'timezone'): string {
  // The default of most callers. Making a DateTimeFormat takes 0.1 ms.
  if (name === 'UTC') return name
  try {
    const zone = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    if (!/^[+-]/.test(zone)) return zone
  } catch {
    // No time zone: refused below.
  }
  throw invalid(field, 'timezone')
}

const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?$/

/**
 * Reads a time as in RFC 3339. A time without an offset is a local time in `timezone`: in an hour that the clock skips it
 * means an hour later, in an hour that the clock shows twice the first one.
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function readTime(field: string, text: string, timezone: string): Date {
  const at = epochMs(field, () => timeOf(text, timezone))
  if (at < EARLIEST || at >= LATEST.getTime()) throw invalid(field, 'date')
  return new Date(at)
}

/** The local time in `timezone` at a moment, which may be given in ms since the epoch. */
export const onClock = (at: Date | number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(+at).toZonedDateTimeISO(timezone)

/**
 * Reads a time with an offset. Unlike `readTime` it allows years up to 9999, with which clients mean "always".
 * @throws AppError VALIDATION_FAILED naming `field`
 */
export function readInstant(field: string, text: string): Date {
  const at = epochMs(field, () => timeOf(text, 'UTC'))
  if (at < EARLIEST || at >= YEAR_10000) throw invalid(field, 'date')
  return new Date(at)
}

/** The beginning or end of a list: a moment, or a whole day with its first moment and that of the next day. */
export interface Bound {
  first: Date
  end: Date
}

/**
 * Reads a day, or a time like `readTime`. A year outside the calendar's range, such as 9999 for "always", becomes the
 * nearest moment within it.
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

/** `read` throws a RangeError for a day or an hour that does not exist. */
function epochMs(field: string, read: () => { epochMilliseconds: number }): number {
  try {
    return read().epochMilliseconds
  } catch (error) {
    throw error instanceof RangeError ? invalid(field, 'date') : error
  }
}
