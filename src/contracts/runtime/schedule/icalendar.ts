/** A calendar as iCalendar (RFC 5545), in the form that Outlook, Google Calendar and Apple Calendar read. */
import ICAL from 'ical.js'
import type { Item } from '../../../core/agenda/rows.ts'
import { onClock } from '../../../core/agenda/times.ts'
import { Slices } from '../../../util/slices.ts'
import { type Span, toTimezone } from './vtimezone.ts'

/** RFC 5545 has no status for completed events. */
const STATUS = { active: 'CONFIRMED', completed: 'CONFIRMED', cancelled: 'CANCELLED' } as const
const UTC = 'UTC'

// A line has at most 75 octets (3.1), and the library does not count the space at the start of a continued line.
ICAL.foldLength = 74

/** Works in slices, because a thousand long items take seconds, and other requests must be answered meanwhile. */
export async function toICalendar(
  items: Item[],
  slices = new Slices(Number.POSITIVE_INFINITY),
): Promise<string> {
  const calendar = new ICAL.Component('vcalendar')
  calendar.addPropertyWithValue('prodid', '-//Roost//Schedule//EN')
  calendar.addPropertyWithValue('version', '2.0')
  calendar.addPropertyWithValue('calscale', 'GREGORIAN')
  calendar.addPropertyWithValue('method', 'PUBLISH')
  calendar.addPropertyWithValue('x-wr-calname', 'Roost')
  calendar.addPropertyWithValue('refresh-interval', ICAL.Duration.fromString('PT1H'))
  calendar.addPropertyWithValue('x-published-ttl', 'PT1H')
  const end = 'END:VCALENDAR'
  const parts = [calendar.toString().slice(0, -end.length)]
  for (const [zone, span] of spans(items)) {
    parts.push(`${await toTimezone(zone, span, slices)}\r\n`)
  }
  for (const item of items) {
    parts.push(`${toEvent(item)}\r\n`)
    await slices.step()
  }
  return `${parts.join('')}${end}\r\n`
}

/** The time zones of the items, each with the time span in which items use it. */
function spans(items: Item[]): Map<string, Span> {
  const found = new Map<string, Span>()
  for (const item of items) {
    const timezone = zoneOf(item)
    if (timezone === UTC) continue
    const { startAt, lastsUntil } = item
    const { first, last } = found.get(timezone) ?? { first: Infinity, last: -Infinity }
    found.set(timezone, {
      first: Math.min(first, startAt.getTime()),
      last: Math.max(last, (lastsUntil ?? startAt).getTime()),
    })
  }
  return found
}

/** The zone of an item's times. A series needs its own zone; a single item with ambiguous times is written in UTC. */
const zoneOf = (item: Item): string => (item.rrule === null && isAmbiguous(item) ? UTC : item.timezone)

/** Whether an item begins or ends in an hour that its clock shows twice. Calendar programs take the first of the two. */
const isAmbiguous = ({ startAt, endAt, timezone }: Item): boolean =>
  timezone !== UTC && (isShownTwice(startAt, timezone) || (endAt !== null && isShownTwice(endAt, timezone)))

function isShownTwice(at: Date, timezone: string): boolean {
  const clock = onClock(at, timezone).toPlainDateTime()
  const first = clock.toZonedDateTime(timezone, { disambiguation: 'earlier' })
  return !first.equals(clock.toZonedDateTime(timezone, { disambiguation: 'later' }))
}

function toEvent(item: Item): ICAL.Component {
  const timezone = zoneOf(item)
  const event = new ICAL.Component('vevent')
  event.addPropertyWithValue('uid', `${item.id}@roost`)
  event.addPropertyWithValue('dtstamp', inUtc(item.updatedAt))
  event.addPropertyWithValue('created', inUtc(item.createdAt))
  event.addPropertyWithValue('last-modified', inUtc(item.updatedAt))
  event.addPropertyWithValue('sequence', item.revision)
  addTime(event, 'dtstart', item.startAt, timezone)
  addEnd(event, item, timezone)
  if (item.rrule !== null) event.addPropertyWithValue('rrule', ICAL.Recur.fromString(item.rrule))
  for (const start of item.exceptions) addTime(event, 'exdate', new Date(start), timezone)
  event.addPropertyWithValue('summary', plain(item.title))
  if (item.description) event.addPropertyWithValue('description', plain(item.description))
  if (item.metadata.location) event.addPropertyWithValue('location', plain(item.metadata.location))
  event.addPropertyWithValue('status', STATUS[item.status])
  // Calendar programs ring for a cancelled event too, if it has an alarm.
  if (item.status === 'active' && item.reminderMinutes !== null)
    event.addSubcomponent(toAlarm(item.title, item.reminderMinutes))
  return event
}

/** In whole seconds an end must be later than the start (3.8.2.2). An event without an end has no length. */
function addEnd(event: ICAL.Component, item: Item, timezone: string): void {
  if (!item.endAt) return
  const seconds = wholeSeconds(item.endAt) - wholeSeconds(item.startAt)
  if (seconds <= 0) return
  if (item.rrule === null || !isAmbiguous(item)) return addTime(event, 'dtend', item.endAt, timezone)
  // The clock may show an earlier time at the end than at the start, so the length is written instead.
  event.addPropertyWithValue('duration', ICAL.Duration.fromSeconds(seconds))
}

function toAlarm(title: string, minutes: number): ICAL.Component {
  const alarm = new ICAL.Component('valarm')
  alarm.addPropertyWithValue('action', 'DISPLAY')
  alarm.addPropertyWithValue('description', plain(title))
  alarm.addPropertyWithValue('trigger', ICAL.Duration.fromSeconds(-minutes * 60))
  return alarm
}

/** A text may have no control characters but tabs and line breaks (3.3.11), and the library escapes only \n. */
const plain = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\t\n]/gu, '')

const wholeSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

const inUtc = (at: Date): ICAL.Time => ICAL.Time.fromJSDate(at, true)

function addTime(event: ICAL.Component, name: string, at: Date, timezone: string): void {
  if (timezone === UTC) return void event.addPropertyWithValue(name, inUtc(at))
  const { year, month, day, hour, minute, second } = onClock(at, timezone)
  const wallClock = ICAL.Time.fromData({ year, month, day, hour, minute, second })
  event.addPropertyWithValue(name, wallClock).setParameter('tzid', timezone)
}
