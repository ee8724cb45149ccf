/** What fell out of a series still does when the series moves: an exception belongs to its occurrence. */
import { Slices } from '../../util/slices.ts'
import type { DayNumber } from './rule-days.ts'
import { Calendar, type Series } from './series.ts'
import { onClock } from './times.ts'

/**
 * The exceptions of a series that has moved to another start or time zone. That of an occurrence which the moved series
 * has not (on a day that a month lacks, at a time that the clock skips) is kept where it can be found again.
 */
export async function movedExceptions(
  before: Series & { exceptions: string[] },
  after: Series,
): Promise<string[]> {
  if (after.timezone === before.timezone && +after.startAt === +before.startAt) return before.exceptions
  const [from, to] = [new Calendar(before), new Calendar(after)]
  const slices = new Slices(Number.POSITIVE_INFINITY)
  const moved: string[] = []
  for (const text of before.exceptions) {
    const at = new Date(text)
    const day = from.dayOf(at)
    const isOccurrence = from.momentOn(day).getTime() === at.getTime()
    const now = isOccurrence ? to.momentOn(counterpart(from, to, day)) : shifted(at, before, after)
    moved.push(now.toISOString())
    await slices.step()
  }
  return moved
}

/**
 * The day of the same occurrence: in the period of the same number the one of the same position, for a shift by days
 * takes the 1st of March to the 29th of February in some years. Where the periods don't compare it is such a shift.
 */
function counterpart(from: Calendar, to: Calendar, day: DayNumber): DayNumber {
  const moved = day + to.startDay - from.startDay
  const alike = from.rule.freq === to.rule.freq && from.rule.interval === to.rule.interval
  if (!alike || !from.periods.holds(day)) return moved
  const period = from.periods.at(day)
  const [was, is] = [from.periods.named(period), to.periods.named(period)]
  const position = was.indexOf(day)
  if (position >= 0 && was.length === is.length) return is[position]!
  // An occurrence that its period had no day for comes back.
  if (was.length === 0 && is.length === 1) return is[0]!
  const [first, next] = to.periods.bounds(period)
  return Math.min(Math.max(moved, first), next - 1)
}

/** By the clock's difference, for what never was an occurrence. */
function shifted(at: Date, before: Series, after: Series): Date {
  const clock = (time: Date, zone: string) => onClock(time, zone).toPlainDateTime()
  const difference = clock(before.startAt, before.timezone).until(clock(after.startAt, after.timezone))
  const moved = clock(at, before.timezone).add(difference).toZonedDateTime(after.timezone)
  return new Date(moved.epochMilliseconds)
}
