/** Items as iCalendar, read by another parser. `feed.test.ts` tests the feed. */
import { describe, expect, test } from 'bun:test'
import ICAL from 'ical.js'
import { toICalendar } from '../../../../src/contracts/runtime/schedule/icalendar.ts'
import type { Item } from '../../../../src/core/agenda/rows.ts'

const MADE = new Date('2026-01-01T00:00:00Z')

function item(given: Partial<Item> & { startAt: Date }): Item {
  const id = Bun.randomUUIDv7()
  return {
    id,
    userId: 1,
    title: 't',
    description: null,
    endAt: null,
    timezone: 'UTC',
    metadata: {},
    status: 'active',
    rrule: null,
    exceptions: [],
    reminderMinutes: null,
    nextReminderAt: null,
    remindedFor: null,
    sourceType: 'manual',
    revision: 0,
    deletedAt: null,
    createdAt: MADE,
    updatedAt: MADE,
    lastsUntil: given.rrule ? null : (given.endAt ?? given.startAt),
    ...given,
  }
}

/** Reads times by the time zones in the file alone, because the parser has no others. */
async function read(items: Item[]) {
  const calendar = new ICAL.Component(ICAL.parse(await toICalendar(items)))
  return calendar.getAllSubcomponents('vevent').map((event) => new ICAL.Event(event))
}
const instant = (time: ICAL.Time) => time.toJSDate().toISOString()

const ZONES = [...Intl.supportedValuesOf('timeZone'), 'Asia/Calcutta', 'EST5EDT', 'Etc/UTC', 'US/Pacific']

test.each([
  ['one in winter', ['2026-12-02T17:00:00.000Z']],
  ['one in summer', ['2027-07-02T17:00:00.000Z']],
  ['one of the past, and one ahead', ['1999-07-02', '2035-12-20']],
])('every time zone of the server is told as its own clock has it: %s', async (_, days) => {
  const times = days.map((day) => new Date(day).toISOString())
  for (const timezone of ZONES) {
    const events = await read(times.map((time) => item({ startAt: new Date(time), timezone })))
    expect(
      events.map(({ startDate }) => instant(startDate)),
      timezone,
    ).toEqual(times)
  }
})

test.each([
  ['Europe/Berlin', ['BYMONTH=10;BYDAY=-1SU', 'BYMONTH=3;BYDAY=-1SU']],
  ['America/New_York', ['BYMONTH=11;BYDAY=1SU', 'BYMONTH=3;BYDAY=2SU']],
  ['Asia/Jerusalem', ['BYMONTH=10;BYDAY=-1SU', 'BYMONTH=3;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29']],
  ['Africa/Casablanca', []],
  ['Asia/Tokyo', []],
])(
  '%s has rules where its clocks keep to one, the only thing that Outlook reads',
  async (timezone, rules) => {
    const text = await toICalendar([item({ startAt: new Date('2026-12-01T09:00Z'), timezone })])
    const zone = text.slice(text.indexOf('BEGIN:VTIMEZONE'), text.indexOf('END:VTIMEZONE'))
    const found = [...zone.matchAll(/RRULE:FREQ=YEARLY;(.*)\r/g)].map(([, rule]) => rule!)
    expect(found.sort()).toEqual(rules.sort())
    expect(zone.includes('RDATE')).toBe(timezone === 'Africa/Casablanca')
  },
)

test.each(['2086-04-20', '2086-05-20', '2109-07-01'])(
  'clocks that keep to no rule are known on %s too',
  async (day) => {
    const times = ['2026-12-01', day].map((at) => new Date(at))
    const items = times.map((startAt) => item({ startAt, timezone: 'Africa/Casablanca' }))
    expect((await read(items)).map(({ startDate }) => startDate.toJSDate())).toEqual(times)
  },
)

test('a series without an end keeps its hour, also where no rule tells when clocks change', async () => {
  const startAt = new Date('1999-12-01T09:00:00Z')
  const [event] = await read([item({ startAt, timezone: 'Africa/Casablanca', rrule: 'FREQ=MONTHLY' })])
  const iterator = event!.iterator()
  const months = (new Date().getUTCFullYear() + 10 - 1999) * 12
  const found = Array.from({ length: months }, () => instant(iterator.next()))
  const clock = Temporal.PlainDateTime.from('1999-12-01T09:00')
  expect(found).toEqual(
    found.map((_, months) => {
      const at = clock.add({ months }).toZonedDateTime('Africa/Casablanca')
      return new Date(at.epochMilliseconds).toISOString()
    }),
  )
})

describe('in an hour that the clock shows twice', () => {
  const twice = (start: string, end: string | null, rrule: string | null = null) =>
    item({
      startAt: new Date(start),
      endAt: end === null ? null : new Date(end),
      rrule,
      timezone: 'Europe/Berlin',
    })

  test.each([
    ['from the first into the second', '2026-10-25T02:50+02:00', '2026-10-25T02:10+01:00'],
    ['in the first', '2026-10-25T02:10+02:00', '2026-10-25T02:30+02:00'],
    ['in the second', '2026-10-25T02:10+01:00', '2026-10-25T02:30+01:00'],
    ['from before into the second', '2026-10-25T01:30+02:00', '2026-10-25T02:30+01:00'],
    ['from the second until after', '2026-10-25T02:30+01:00', '2026-10-25T03:30+01:00'],
    ['without an end, in the second', '2026-10-25T02:30+01:00', null],
  ])('a single item is at its own time: %s', async (_, start, end) => {
    const one = twice(start, end)
    expect(await toICalendar([one])).not.toContain('TZID')
    const [event] = await read([one])
    expect(instant(event!.startDate)).toBe(one.startAt.toISOString())
    expect(instant(event!.endDate)).toBe((one.endAt ?? one.startAt).toISOString())
  })

  test('single items before, around and after it keep their time zone', async () => {
    const items = [
      twice('2026-10-25T01:00+02:00', '2026-10-25T01:59:59+02:00'),
      twice('2026-10-25T01:00+02:00', '2026-10-25T03:00+01:00'),
      twice('2026-10-25T03:00+01:00', '2026-10-25T04:00+01:00'),
    ]
    expect((await toICalendar(items)).match(/DT(START|END);TZID=Europe\/Berlin:/g)).toHaveLength(6)
    for (const [index, event] of (await read(items)).entries()) {
      expect(instant(event.startDate)).toBe(items[index]!.startAt.toISOString())
      expect(instant(event.endDate)).toBe(items[index]!.endAt!.toISOString())
    }
  })

  test('a series that begins there keeps its clock and its length', async () => {
    const text = await toICalendar([twice('2026-10-25T02:50+02:00', '2026-10-25T02:10+01:00', 'FREQ=DAILY')])
    expect(text).toContain('DTSTART;TZID=Europe/Berlin:20261025T025000\r\nDURATION:PT20M\r\n')
    expect(text).not.toContain('DTEND')
  })
})

test.each([
  ['2026-12-01T09:00:00.500Z', '2026-12-01T09:00:00.900Z', null],
  ['2026-12-01T09:00:00.500Z', '2026-12-01T09:00:01.400Z', '090001'],
  ['1969-12-31T23:59:58.500Z', '1969-12-31T23:59:58.900Z', null],
])('from %s to %s there are only whole seconds', async (start, end, shown) => {
  for (const rrule of [null, 'FREQ=DAILY']) {
    const text = await toICalendar([item({ startAt: new Date(start), endAt: new Date(end), rrule })])
    expect(text.match(/DTEND:\d{8}T(\d{6})Z/)?.[1] ?? null).toBe(shown)
  }
})

test('texts have no control characters but tabs and line breaks', async () => {
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
  const text = `a\rb\r\nc\nd\r\re\tf${controls.filter((one) => /[^\t\r\n -~]/.test(one)).join('')}g 会🦉`
  const clean = 'a\nb\nc\nd\n\ne\tfg 会🦉'
  const one = item({
    startAt: MADE,
    title: text,
    description: text,
    metadata: { location: text },
    reminderMinutes: 5,
  })
  expect((await toICalendar([one])).replaceAll('\r\n', '')).not.toMatch(/[^\P{Cc}\t]/u)
  const [event] = await read([one])
  const alarm = event!.component.getFirstSubcomponent('valarm')!
  const shown = [
    event!.summary,
    event!.description,
    event!.location,
    alarm.getFirstPropertyValue('description'),
  ]
  expect(shown).toEqual([clean, clean, clean, clean])
})

test.each([
  ['active', true],
  ['completed', false],
  ['cancelled', false],
] as const)('an item that is %s has an alarm: %p', async (status, alarm) => {
  for (const rrule of [null, 'FREQ=DAILY']) {
    const text = await toICalendar([item({ startAt: MADE, rrule, status, reminderMinutes: 5 })])
    expect(text.includes('BEGIN:VALARM')).toBe(alarm)
  }
})

test('a calendar of everything that one can hold leaves others their turn', async () => {
  const exceptions = Array.from({ length: 500 }, (_, n) => new Date(n * 86_400_000).toISOString())
  const items = ZONES.slice(0, 300).map((timezone) =>
    item({ startAt: new Date('1950-01-01'), timezone, rrule: 'FREQ=DAILY', exceptions }),
  )
  let turns = 0
  const watching = setInterval(() => turns++)
  const text = await toICalendar(items)
  clearInterval(watching)
  expect(text.match(/BEGIN:VEVENT/g)).toHaveLength(300)
  // A slice takes some milliseconds, so that other work gets many turns. Without slices it would get none.
  expect(turns).toBeGreaterThan(2)
})
