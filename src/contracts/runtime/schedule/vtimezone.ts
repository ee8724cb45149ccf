/**
 * Time zones as iCalendar has them (RFC 5545, 3.6.5), made of what this server's own clock knows of them: any other
 * table of zones says something else as soon as one of the two is newer.
 */
import ICAL from 'ical.js'
import { onClock } from '../../../core/agenda/times.ts'
import type { Slices } from '../../../util/slices.ts'

export interface Span {
  first: number
  last: number
}

interface Transition {
  /** What a clock shows that nobody has changed yet. */
  onset: Temporal.PlainDateTime
  /** Offsets from UTC, before and after. */
  from: string
  to: string
  forward: boolean
}

/** How far transitions are looked up after the last event, or after today: a series may have no end. */
const AHEAD = { years: 20 }
/** Transitions that no yearly rule tells, those around Ramadan, are foretold until 2087. */
const ALL_REGULAR = Date.UTC(2090, 0, 1)
/** After so many years a weekday has been on each of the seven dates that a rule gives it, those around 2100 too. */
const FULL_CYCLE = 12
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** The zone as it is within `span`, and as far after it as it keeps to a yearly rule. */
export async function toTimezone(zone: string, span: Span, slices: Slices): Promise<ICAL.Component> {
  const component = new ICAL.Component('vtimezone')
  component.addPropertyWithValue('tzid', zone)
  const start = onClock(span.first, zone)
  const last = Math.max(span.first, Math.min(Math.max(span.last, Date.now()), ALL_REGULAR))
  const end = onClock(last, zone).add(AHEAD)
  const transitions = await transitionsOf(start, end, slices)
  const single: Transition[] = []
  for (const alike of Map.groupBy(transitions, yearly).values()) {
    const tail = yearlyTail(alike, end.year)
    single.push(...alike.slice(0, alike.length - tail.length))
    if (tail.length === 0) continue
    const observance = toObservance(tail[0]!)
    observance.addPropertyWithValue('rrule', ICAL.Recur.fromString(ruleOf(tail)))
    component.addSubcomponent(observance)
  }
  for (const alike of Map.groupBy(single, ({ from, to }) => `${from} ${to}`).values()) {
    const observance = toObservance(alike[0]!)
    // One a line, the first too: some programs read no more of a line, and DTSTART only where there is no RDATE.
    if (alike.length > 1) {
      for (const { onset } of alike) observance.addPropertyWithValue('rdate', toTime(onset))
    }
    component.addSubcomponent(observance)
  }
  return component
}

/** The first is the one that `start` follows, or, as one from an offset to the same, `start` itself. */
async function transitionsOf(
  start: Temporal.ZonedDateTime,
  end: Temporal.ZonedDateTime,
  slices: Slices,
): Promise<Transition[]> {
  const first = start.getTimeZoneTransition('previous') ?? start
  const found = [transition(first.subtract({ seconds: 1 }), first)]
  let before = first
  for (;;) {
    const next = before.getTimeZoneTransition('next')
    if (!next || next.epochMilliseconds > end.epochMilliseconds) break
    found.push(transition(before, next))
    before = next
    await slices.step()
  }
  // A zone that is always the same has standard time, also where it came from another offset.
  return found.length === 1 ? [{ ...found[0]!, from: found[0]!.to, forward: false }] : found
}

function transition(before: Temporal.ZonedDateTime, after: Temporal.ZonedDateTime): Transition {
  const change = after.offsetNanoseconds - before.offsetNanoseconds
  const onset = after.toPlainDateTime().subtract({ nanoseconds: change })
  return { onset, from: before.offset, to: after.offset, forward: change > 0 }
}

/** What the transitions of one yearly rule have in common. */
const yearly = ({ onset, from, to }: Transition): string =>
  `${from} ${to} ${onset.month} ${onset.dayOfWeek} ${onset.toPlainTime()}`

/** The last ones of these, as far as they are one in each year, on dates within a week. */
function yearlyTail(alike: Transition[], endYear: number): Transition[] {
  const at = (index: number) => alike[index]!.onset
  let first = alike.length - 1
  // The last year's may be still to come at the end of what was looked up.
  if (at(first).year < endYear - 1) return []
  let [min, max] = [at(first).day, at(first).day]
  for (; first > 0 && at(first - 1).year === at(first).year - 1; first--) {
    const { day } = at(first - 1)
    if (Math.max(max, day) - Math.min(min, day) > 6) break
    min = Math.min(min, day)
    max = Math.max(max, day)
  }
  return alike.length - first < FULL_CYCLE ? [] : alike.slice(first)
}

function ruleOf(tail: Transition[]): string {
  const { month, dayOfWeek, daysInMonth } = tail[0]!.onset
  const min = Math.min(...tail.map(({ onset }) => onset.day))
  const day = WEEKDAYS[dayOfWeek - 1]
  const rule = `FREQ=YEARLY;BYMONTH=${month}`
  // Outlook and Exchange read these two only (MS-OXCICAL 2.1.3.1.1.19.2.2).
  if (min % 7 === 1) return `${rule};BYDAY=${(min + 6) / 7}${day}`
  if (min + 6 === daysInMonth) return `${rule};BYDAY=-1${day}`
  return `${rule};BYDAY=${day};BYMONTHDAY=${Array.from({ length: 7 }, (_, add) => min + add)}`
}

function toObservance({ onset, from, to, forward }: Transition): ICAL.Component {
  const component = new ICAL.Component(forward ? 'daylight' : 'standard')
  component.addPropertyWithValue('dtstart', toTime(onset))
  component.addProperty(offset('tzoffsetfrom', from))
  component.addProperty(offset('tzoffsetto', to))
  return component
}

/** The library's own type has no seconds, which the offsets of old have. */
const offset = (name: string, value: string) => new ICAL.Property([name, {}, 'utc-offset', value])

const toTime = ({ year, month, day, hour, minute, second }: Temporal.PlainDateTime): ICAL.Time =>
  ICAL.Time.fromData({ year, month, day, hour, minute, second })
