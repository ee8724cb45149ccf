/** When a recurring item happens: the days of its rule at its clock's time. */
import type { Slices } from '../../util/slices.ts'
import { atPositions, type DayNumber, numberOf, Periods, parseRule, type Rule } from './rule-days.ts'
import { LATEST, onClock } from './times.ts'

const DAY_MS = 86_400_000
const UTC = 'UTC'
/** A change of the clock concerns no days further away than this, in whichever zone. */
const CHANGE_DAYS = 2
/** To look at so many days of a rule takes less than a millisecond. */
const DAYS_A_STEP = 365

export interface Series {
  /** The first occurrence, whose time on the clock all others have. */
  startAt: Date
  timezone: string
  rrule: string
}

export interface Recurring extends Series {
  /** When the last occurrence starts; null: the rule has no end. */
  lastStart: Date | null
  exceptions: readonly string[]
}

/** The days of a series, and the moments that its clock shows its time on them. */
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

  /** The day on the series' clock. */
  dayOf(at: Date): DayNumber {
    return numberOf(onClock(at, this.series.timezone).toPlainDate())
  }

  /**
   * The moment of the series' time on a day: in the hour that a clock shows twice the first, on the first day the start
   * itself, in an hour that the clock skips the one after.
   */
  momentOn(day: DayNumber): Date {
    if (day === this.startDay) return this.series.startAt
    return new Date(this.zoned(day).epochMilliseconds)
  }

  /** The days of a period on which the series happens, as far as they lie between two days. */
  days(period: number, from: DayNumber, to: DayNumber): DayNumber[] {
    const within = (day: DayNumber) => day >= Math.max(from, this.startDay) && day <= to
    const named = this.periods.days(period)
    if (!this.rule.bySetPos) return named.filter((day) => within(day) && this.happensOn(day))
    // A time that the clock skips takes no position.
    return atPositions(
      this.rule,
      named.filter((day) => this.happensOn(day)),
    ).filter(within)
  }

  /** Whether the clock shows the series' time on a day at all. What it skips does not happen (RFC 5545, 3.3.10). */
  private happensOn(day: DayNumber): boolean {
    if (day === this.startDay || this.isCalm(day)) return true
    const at = this.zoned(day)
    return at.toPlainTime().equals(this.time) && numberOf(at.toPlainDate()) === day
  }

  /** Whether nobody changes the clock around a day; found out once for all days up to the next change. */
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
 * When the occurrences start that start from `from` to `until`, in order, exceptions left out. Lazy: it may be endless.
 * Others have their turn at least after each year of it.
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

/** Until when a rule lasts that has no COUNT. */
export function endOfRule(rrule: string): Date {
  const [, until] = /UNTIL=(\d{8}T\d{6}Z)/.exec(rrule) ?? []
  const end = until ? Temporal.Instant.from(until).epochMilliseconds : Number.POSITIVE_INFINITY
  return new Date(Math.min(end, LATEST.getTime()))
}
