/** The occurrences of a recurring item: the days of its rule, at the local time of its start. */
import type { Slices } from '../../util/slices.ts'
import { atPositions, type DayNumber, numberOf, Periods, parseRule, type Rule } from './rule-days.ts'
import { LATEST, onClock } from './times.ts'

const DAY_MS = 86_400_000
const UTC = 'UTC'
/** A change of the clock affects only days that are at most this far away, in any time zone. */
const CHANGE_DAYS = 2
/** Days between two pauses for other requests; they take less than a millisecond. */
const DAYS_A_STEP = 365

export interface Series {
  /** The first occurrence. All others have the same local time. */
  startAt: Date
  timezone: string
  rrule: string
}

export interface Recurring extends Series {
  /** When the last occurrence starts; null: the rule has no end. */
  lastStart: Date | null
  exceptions: readonly string[]
}

/** The days of a series, and the moments of its local time on these days. */
export class Calendar {
  readonly rule: Rule
  readonly periods: Periods
  readonly startDay: DayNumber
  private readonly time: Temporal.PlainTime
  private calm: [from: DayNumber, to: DayNumber] = [0, 0]

  constructor(private readonly series: Series) {
    const start = onClock(series.startAt, series.timezone)
    this.rule = parseRule(series.rrule)
    this.startDay = numberOf(start.toPlainDate())
    this.time = start.toPlainTime()
    this.periods = new Periods(this.rule, this.startDay)
  }

  /** The local day in the series' time zone. */
  dayOf(at: Date): DayNumber {
    return numberOf(onClock(at, this.series.timezone).toPlainDate())
  }

  /**
   * The moment of the series' local time on a day: on the first day, the start itself; in an hour that the clock shows
   * twice, the first one; in an hour that the clock skips, an hour later.
   */
  momentOn(day: DayNumber): Date {
    if (day === this.startDay) return this.series.startAt
    return new Date(this.zoned(day).epochMilliseconds)
  }

  /** The days of a period, from `from` to `to`, on which the series has an occurrence. */
  days(period: number, from: DayNumber, to: DayNumber): DayNumber[] {
    const within = (day: DayNumber) => day >= Math.max(from, this.startDay) && day <= to
    const named = this.periods.days(period)
    if (!this.rule.bySetPos) return named.filter((day) => within(day) && this.happensOn(day))
    // A day on which the clock skips the time does not count for BYSETPOS.
    return atPositions(
      this.rule,
      named.filter((day) => this.happensOn(day)),
    ).filter(within)
  }

  /** Whether the local time exists on a day. RFC 5545 (3.3.10) ignores an occurrence whose time the clock skips. */
  private happensOn(day: DayNumber): boolean {
    if (day === this.startDay || this.isCalm(day)) return true
    const at = this.zoned(day)
    return at.toPlainTime().equals(this.time) && numberOf(at.toPlainDate()) === day
  }

  /** Whether the clock does not change around a day. Computed once for all days up to the next change. */
  private isCalm(day: DayNumber): boolean {
    if (this.series.timezone === UTC) return true
    const [from, to] = this.calm
    if (day >= from && day < to) return true
    const next = onClock((day - CHANGE_DAYS) * DAY_MS, this.series.timezone).getTimeZoneTransition('next')
    const change = next ? Math.floor(next.epochMilliseconds / DAY_MS) : Number.POSITIVE_INFINITY
    this.calm = [day, change - CHANGE_DAYS]
    return day < change - CHANGE_DAYS
  }

  private zoned(day: DayNumber): Temporal.ZonedDateTime {
    const date = new Date(day * DAY_MS)
    return new Temporal.PlainDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())
      .toPlainDateTime(this.time)
      .toZonedDateTime(this.series.timezone)
  }
}

/**
 * Yields the starts of the occurrences from `from` to `until`, in order and without exceptions. Lazy, because there may be
 * no end. Other requests can run at least after each year of occurrences.
 * @throws OverBudget
 */
export async function* startsFrom(
  { lastStart, exceptions, ...series }: Recurring,
  from: Date,
  slices: Slices,
  until: Date = LATEST,
): AsyncGenerator<Date> {
  const calendar = new Calendar(series)
  const { periods } = calendar
  const last = lastStart ?? endOfRule(series.rrule)
  const end = until < last ? until : last
  const [firstDay, lastDay] = [calendar.dayOf(from), calendar.dayOf(end)]
  const excluded = new Set(exceptions.map((text) => Date.parse(text)))
  let looked = 0
  for (let period = Math.max(0, periods.at(firstDay)); ; period++) {
    const [first, next] = periods.bounds(period)
    if (first > lastDay) return
    for (const day of calendar.days(period, firstDay, lastDay)) {
      const start = calendar.momentOn(day)
      if (start >= from && start <= end && !excluded.has(start.getTime())) yield start
    }
    looked += next - first
    if (looked < DAYS_A_STEP) continue
    looked = 0
    await slices.step()
  }
}

/** The end of a rule without COUNT. */
export function endOfRule(rrule: string): Date {
  const [, until] = /UNTIL=(\d{8}T\d{6}Z)/.exec(rrule) ?? []
  const end = until ? Temporal.Instant.from(until).epochMilliseconds : Number.POSITIVE_INFINITY
  return new Date(Math.min(end, LATEST.getTime()))
}
