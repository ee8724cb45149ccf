/** A calendar as iCalendar (RFC 5545), in the form that Outlook, Google and Apple subscribe to. */
import ICAL from 'ical.js'
import { tzlib_get_ical_block } from 'timezones-ical-library'
import type { Item } from '../../core/agenda/items.ts'

/** RFC 5545 has no completed events. */
const STATUS = { active: 'CONFIRMED', completed: 'CONFIRMED', cancelled: 'CANCELLED' } as const
const UTC = 'UTC'

// Lines are folded at 75 octets (3.1), and the library doesn't count the space that a folded one begins with.
ICAL.foldLength = 74

export function toICalendar(items: Item[]): string {
  const calendar = new ICAL.Component('vcalendar')
  calendar.addPropertyWithValue('prodid', '-//Roost//Schedule//EN')
  calendar.addPropertyWithValue('version', '2.0')
  calendar.addPropertyWithValue('calscale', 'GREGORIAN')
  calendar.addPropertyWithValue('method', 'PUBLISH')
  calendar.addPropertyWithValue('x-wr-calname', 'Roost')
  calendar.addPropertyWithValue('refresh-interval', ICAL.Duration.fromString('PT1H'))
  calendar.addPropertyWithValue('x-published-ttl', 'PT1H')
  const zones = new Set(items.map(({ timezone }) => timezone))
  zones.delete(UTC)
  for (const zone of zones) calendar.addSubcomponent(toTimezone(zone))
  for (const item of items) calendar.addSubcomponent(toEvent(item))
  return `${calendar.toString()}\r\n`
}

function toTimezone(zone: string): ICAL.Component {
  const [text] = tzlib_get_ical_block(zone) as [string]
  const component = new ICAL.Component(ICAL.parse(text))
  // Of a zone with two names the library may give the other one.
  component.updatePropertyWithValue('tzid', zone)
  return component
}

function toEvent(item: Item): ICAL.Component {
  const event = new ICAL.Component('vevent')
  event.addPropertyWithValue('uid', `${item.id}@roost`)
  event.addPropertyWithValue('dtstamp', inUtc(item.updatedAt))
  event.addPropertyWithValue('created', inUtc(item.createdAt))
  event.addPropertyWithValue('last-modified', inUtc(item.updatedAt))
  event.addPropertyWithValue('sequence', item.revision)
  addTime(event, 'dtstart', item.startAt, item.timezone)
  // An end must be later than the start (3.8.2.2); an event without one ends as it starts.
  if (item.endAt && item.endAt > item.startAt) addTime(event, 'dtend', item.endAt, item.timezone)
  if (item.rrule !== null) event.addPropertyWithValue('rrule', ICAL.Recur.fromString(item.rrule))
  for (const start of item.exceptions) addTime(event, 'exdate', new Date(start), item.timezone)
  event.addPropertyWithValue('summary', item.title)
  if (item.description) event.addPropertyWithValue('description', item.description)
  if (item.metadata.location) event.addPropertyWithValue('location', item.metadata.location)
  event.addPropertyWithValue('status', STATUS[item.status])
  if (item.reminderMinutes !== null) event.addSubcomponent(toAlarm(item.title, item.reminderMinutes))
  return event
}

function toAlarm(title: string, minutes: number): ICAL.Component {
  const alarm = new ICAL.Component('valarm')
  alarm.addPropertyWithValue('action', 'DISPLAY')
  alarm.addPropertyWithValue('description', title)
  alarm.addPropertyWithValue('trigger', ICAL.Duration.fromSeconds(-minutes * 60))
  return alarm
}

const inUtc = (at: Date): ICAL.Time => ICAL.Time.fromJSDate(at, true)

function addTime(event: ICAL.Component, name: string, at: Date, timezone: string): void {
  if (timezone === UTC) return void event.addPropertyWithValue(name, inUtc(at))
  const { year, month, day, hour, minute, second } = Temporal.Instant.fromEpochMilliseconds(
    at.getTime(),
  ).toZonedDateTimeISO(timezone)
  const wallClock = ICAL.Time.fromData({ year, month, day, hour, minute, second })
  event.addPropertyWithValue(name, wallClock).setParameter('tzid', timezone)
}
