/**
 * Time zones as iCalendar components (RFC 5545, 3.6.5). They are made from the zones of this server's runtime, because a
 * second table of zones would disagree with it as soon as one of the two is newer.
 */
import ICAL from 'ical.js'
import { onClock } from '../../../core/agenda/times.ts'
import type { Slices } from '../../../util/slices.ts'

export interface Span {
  first: number
  last: number
}

interface Transition {
  /** The time that a clock shows just before it is changed. */
  onset: Temporal.PlainDateTime
  /** The offsets from UTC before and after the transition. */
  from: string
  to: string
  forward: boolean
}

/** How long after the last event, or after today, transitions are looked up. A series may have no end. */
const AHEAD = { years: 20 }
/** Transitions without a yearly rule, those around Ramadan, are known until 2087. */
const ALL_REGULAR = Date.UTC(2090, 0, 1)
/** Within so many years a weekday falls on each of the seven dates that a rule allows, also around 2100. */
const FULL_CYCLE = 12
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** The zone within `span`, and after it for as long as it follows a yearly rule. */
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
    // One RDATE for each onset, the first too, because some programs read only the first value of an RDATE, and ignore
    // DTSTART beside one.
    if (alike.length > 1) {
      for (const { onset } of alike) observance.addPropertyWithValue('rdate', toTime(onset))
    }
    component.addSubcomponent(observance)
  }
  return component
}

/**
 * The transitions of a zone until `end`, from the last one before `start`. A zone without one gets `start` as a transition
 * from its offset to the same offset.
 */
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
  // A zone with a single offset has standard time, whatever its offset was before.
  return found.length === 1 ? [{ ...found[0]!, from: found[0]!.to, forward: false }] : found
}

function transition(before: Temporal.ZonedDateTime, after: Temporal.ZonedDateTime): Transition {
  const change = after.offsetNanoseconds - before.offsetNanoseconds
  const onset = after.toPlainDateTime().subtract({ nanoseconds: change })
  return { onset, from: before.offset, to: after.offset, forward: change > 0 }
}

/** The part that the transitions of one yearly rule have in common. */
const yearly = ({ onset, from, to }: Transition): string =>
  `${from} ${to} ${onset.month} ${onset.dayOfWeek} ${onset.toPlainTime()}`

/** The transitions at the end that happen once a year, on dates within one week. */
function yearlyTail(alike: Transition[], endYear: number): Transition[] {
  const at = (index: number) => alike[index]!.onset
  let first = alike.length - 1
  // The transition of the last year may lie after the end of the lookup.
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
  // Outlook and Exchange read only these two forms (MS-OXCICAL 2.1.3.1.1.19.2.2).
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

/** Made by hand, because the library's type has no seconds, which offsets of the past have. */
const offset = (name: string, value: string) => new ICAL.Property([name, {}, 'utc-offset', value])

const toTime = ({ year, month, day, hour, minute, second }: Temporal.PlainDateTime): ICAL.Time =>
  ICAL.Time.fromData({ year, month, day, hour, minute, second })
