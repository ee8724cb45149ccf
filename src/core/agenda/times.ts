import { tzlib_get_timezones } from 'timezones-ical-library'
import { invalid } from '../errors.ts'

/** Zones that the calendar feed can describe. */
const ZONES = new Set(tzlib_get_timezones())

/** What a calendar can be asked about: years that every part, the database and iCalendar included, can write. */
const EARLIEST = Date.UTC(1900, 0, 1)
export const LATEST = new Date(Date.UTC(3000, 0, 1))

/**
 * The IANA zone of this name, spelt properly. Offsets such as `+08:00` are no zones: they know no daylight saving.
 * @throws AppError VALIDATION_FAILED
 */
export function timezoneNamed(name: string): string {
  try {
    const zone = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    if (ZONES.has(zone)) return zone
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
  const [, date, time, offset] = DATE_TIME.exec(text) ?? []
  return readOr(field, () => {
    if (!date) throw new RangeError(text)
    const local = `${date}T${time}`
    return offset
      ? Temporal.Instant.from(local + offset.toUpperCase())
      : Temporal.PlainDateTime.from(local).toZonedDateTime(timezone)
  })
}

/** Where a list begins or ends: a moment, or a whole day in `timezone`, as its first moment and that of the next. */
export interface Bound {
  first: Date
  end: Date
}

/** @throws AppError VALIDATION_FAILED naming `field` */
export function readBound(field: string, text: string, timezone: string): Bound {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) {
    const moment = readTime(field, text, timezone)
    return { first: moment, end: moment }
  }
  const day = (add: number) =>
    readOr(field, () => Temporal.PlainDate.from(text).add({ days: add }).toZonedDateTime(timezone))
  return { first: day(0), end: day(1) }
}

/** `read` fails with a RangeError for a day or an hour that no calendar or clock has. */
function readOr(field: string, read: () => { epochMilliseconds: number }): Date {
  try {
    const at = read().epochMilliseconds
    if (at >= EARLIEST && at < LATEST.getTime()) return new Date(at)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw invalid(field, 'date')
}
