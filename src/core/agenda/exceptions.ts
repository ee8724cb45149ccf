/** When a series moves, its exceptions move with it, because an exception belongs to an occurrence. */
import { Slices } from '../../util/slices.ts'
import type { DayNumber } from './rule-days.ts'
import { Calendar, type Series } from './series.ts'
import { onClock } from './times.ts'

/**
 * The exceptions of a series that has moved to another start or time zone. The moved series may lack the occurrence of an
 * exception, on a day that a month does not have or at a time that the clock skips. Such an exception stays within the
 * period of its occurrence, so that it comes back to the occurrence when the series moves again.
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
 * The day of the same occurrence in the moved series: the day at the same position in the period with the same number.
 * Not a shift by days, which would take the 1st of March to the 29th of February in some years. Only when the periods of
 * both series differ is it such a shift.
 */
function counterpart(from: Calendar, to: Calendar, day: DayNumber): DayNumber {
  const moved = day + to.startDay - from.startDay
  const alike = from.rule.freq === to.rule.freq && from.rule.interval === to.rule.interval
  if (!alike || !from.periods.holds(day)) return moved
  const period = from.periods.at(day)
  const [was, is] = [from.periods.named(period), to.periods.named(period)]
  const position = was.indexOf(day)
  if (position >= 0 && was.length === is.length) return is[position]!
  // The period had no day for the occurrence before the move, and has one now.
  if (was.length === 0 && is.length === 1) return is[0]!
  const [first, next] = to.periods.bounds(period)
  return Math.min(Math.max(moved, first), next - 1)
}

/** An exception that is no occurrence of its series moves by the difference of the local times. */
function shifted(at: Date, before: Series, after: Series): Date {
  const clock = (time: Date, zone: string) => onClock(time, zone).toPlainDateTime()
  const difference = clock(before.startAt, before.timezone).until(clock(after.startAt, after.timezone))
  const moved = clock(at, before.timezone).add(difference).toZonedDateTime(after.timezone)
  return new Date(moved.epochMilliseconds)
}
