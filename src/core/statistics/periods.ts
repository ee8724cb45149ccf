/** Days, weeks, months and years of a time zone: docs/contracts/portfolio.md, "Statistics". */
import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'

export const UNITS = ['day', 'week', 'month', 'year'] as const
export type Unit = (typeof UNITS)[number]

/** Milliseconds since 1970. `end` is not included. */
export interface Span {
  start: number
  end: number
}

/** A day, week, month or year, or the part of it that lies in a span. */
export interface Period extends Span {
  /** Its first day: YYYY-MM-DD. A part of a month has the first day of the month. */
  date: string
  /** `2026-11-28`, `2026-W48`, `2026-11` or `2026`. */
  name: string
}

/** All time zones in use are whole quarters of an hour away from UTC. Views are counted by these. */
export const QUARTER_MS = 900_000
const QUARTERS_OF_HOUR = 4

/** By the clock of the database, in ms since 1970. */
export const nowOf = ({ clock }: Pick<Context, 'clock'>): number => Math.floor(clock.ageOf(new Date(0)))

const PERIOD = /^([1-9]\d{0,3})([hdwmy])$/
const MOST: Record<string, number> = { h: 720, d: 3660, w: 520, m: 120, y: 10 }

/**
 * The time up to now that a text such as `30d` means: so many days of the time zone with today, or `6m` to the same day of the
 * month as today. Hours end with the running quarter of an hour, everything else with today.
 * @throws AppError VALIDATION_FAILED
 */
export function spanUntil(now: number, period: string, timezone: string): Span {
  const [, digits, unit = ''] = PERIOD.exec(period) ?? []
  const count = Number(digits)
  if (!(count <= MOST[unit]!)) throw invalid('period', 'period')
  if (unit === 'h') {
    const end = (Math.floor(now / QUARTER_MS) + 1) * QUARTER_MS
    return { start: end - count * QUARTERS_OF_HOUR * QUARTER_MS, end }
  }
  const tomorrow = dayOf(now, timezone).add({ days: 1 })
  const length = { d: { days: count }, w: { weeks: count }, m: { months: count }, y: { years: count } }[unit]!
  return { start: startOf(tomorrow.subtract(length), timezone), end: startOf(tomorrow, timezone) }
}

/** The span of the same length, in days of the time zone or in hours, that ends where this one begins. */
export function spanBefore({ start, end }: Span, timezone: string): Span {
  const [first, next] = [dayOf(start, timezone), dayOf(end, timezone)]
  if (startOf(first, timezone) !== start || startOf(next, timezone) !== end)
    return { start: start - (end - start), end: start }
  return { start: startOf(first.subtract(next.since(first, { largestUnit: 'days' })), timezone), end: start }
}

/** A year of the time zone. */
export const yearSpan = (year: number, timezone: string): Span => ({
  start: startOf(Temporal.PlainDate.from({ year, month: 1, day: 1 }), timezone),
  end: startOf(Temporal.PlainDate.from({ year: year + 1, month: 1, day: 1 }), timezone),
})

/**
 * The last whole periods up to that of `now`, from the one with `first` on.
 * @param most of these at most
 */
export function spanSince(first: number, now: number, unit: Unit, most: number, timezone: string): Span {
  const last = firstDay(dayOf(now, timezone), unit)
  const earliest = last.subtract({ [`${unit}s`]: most - 1 })
  const begin = firstDay(dayOf(Math.min(first, now), timezone), unit)
  const start = Temporal.PlainDate.compare(begin, earliest) < 0 ? earliest : begin
  return { start: startOf(start, timezone), end: startOf(next(last, unit), timezone) }
}

/** The periods that a span touches, in order and without a gap. A day that the time zone has skipped is none. */
export function periodsOf({ start, end }: Span, unit: Unit, timezone: string): Period[] {
  const periods: Period[] = []
  for (let day = firstDay(dayOf(start, timezone), unit), from = start; from < end; ) {
    const following = next(day, unit)
    const until = Math.min(startOf(following, timezone), end)
    if (until > from) periods.push({ date: day.toString(), name: nameOf(day, unit), start: from, end: until })
    from = Math.max(from, until)
    day = following
  }
  return periods
}

const dayOf = (at: number, timezone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).toPlainDate()

/** Of a day without midnight, such as one on which summer time begins in Beirut: its first moment. */
const startOf = (day: Temporal.PlainDate, timezone: string): number =>
  day.toZonedDateTime(timezone).epochMilliseconds

const next = (day: Temporal.PlainDate, unit: Unit): Temporal.PlainDate => day.add({ [`${unit}s`]: 1 })

function firstDay(day: Temporal.PlainDate, unit: Unit): Temporal.PlainDate {
  if (unit === 'week') return day.subtract({ days: day.dayOfWeek - 1 })
  if (unit === 'day') return day
  return day.with(unit === 'month' ? { day: 1 } : { month: 1, day: 1 })
}

function nameOf(day: Temporal.PlainDate, unit: Unit): string {
  if (unit === 'week') return `${fourDigits(day.yearOfWeek!)}-W${String(day.weekOfYear).padStart(2, '0')}`
  return day.toString().slice(0, { day: undefined, month: -3, year: -6 }[unit])
}

const fourDigits = (year: number): string => String(year).padStart(4, '0')
