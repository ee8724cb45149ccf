import { describe, expect, test } from 'bun:test'
import {
  DAY,
  dayOf,
  dayText,
  HOUR,
  MINUTE,
  momentOf,
  mondayOf,
  readDay,
  readWall,
  wallOf,
  wallText,
} from '../../src/dashboard/app/pages/schedule/clock.ts'
import { layoutOf } from '../../src/dashboard/app/pages/schedule/layout.ts'
import {
  endMovedBy,
  type Movable,
  movedBy,
  seriesChange,
} from '../../src/dashboard/app/pages/schedule/moves.ts'
import { movedRule, ruleOf, simpleOf } from '../../src/dashboard/app/pages/schedule/rule.ts'

const BERLIN = 'Europe/Berlin'
const at = (text: string) => momentOf(readWall(text)!, BERLIN)
const iso = (text: string) => new Date(at(text)).toISOString()
const span = (from: string, to?: string) => ({ start_at: iso(from), end_at: to ? iso(to) : null })
const shown = (text: string) => wallText(wallOf(Date.parse(text), BERLIN))

describe('The clock of a time zone', () => {
  test('agrees with the zone database on every hour of the days around both changes', () => {
    for (const around of ['2027-03-28T00:00Z', '2027-10-31T00:00Z']) {
      for (let n = -30; n < 30; n++) {
        const moment = Date.parse(around) + n * HOUR
        const zoned = Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(BERLIN)
        expect(wallText(wallOf(moment, BERLIN))).toBe(zoned.toPlainDateTime().toString().slice(0, 16))
        const plain = Temporal.PlainDateTime.from(wallText(wallOf(moment, BERLIN)))
        expect(momentOf(wallOf(moment, BERLIN), BERLIN)).toBe(plain.toZonedDateTime(BERLIN).epochMilliseconds)
      }
    }
  })
  test('A time that the clock skips is as much later', () => {
    expect(shown(iso('2027-03-28T02:30'))).toBe('2027-03-28T03:30')
  })
  test('Weeks begin on Monday', () => {
    expect(dayText(mondayOf(readDay('2027-03-28')!))).toBe('2027-03-22')
    expect(dayText(mondayOf(readDay('2027-03-22')!))).toBe('2027-03-22')
    expect(dayText(mondayOf(readDay('1969-12-31')!))).toBe('1969-12-29')
    for (const text of ['2027-3-28', '0001-01-01', '9999-12-31']) expect(readDay(text)).toBeUndefined()
  })
})

describe('The layout of days', () => {
  const monday = readDay('2027-03-22')!
  const week = Array.from({ length: 7 }, (_, n) => monday + n)
  const layout = (...entries: { start_at: string; end_at: string | null }[]) =>
    layoutOf(entries, week, BERLIN)

  test('An item over midnight stands in both days', () => {
    const days = layout(span('2027-03-22T22:00', '2027-03-23T01:30'))
    expect(days[0]!.segments).toMatchObject([{ from: 1320, to: 1440, startsHere: true, endsHere: false }])
    expect(days[1]!.segments).toMatchObject([{ from: 0, to: 90, startsHere: false, endsHere: true }])
  })
  test('An item that ends at midnight is not in the next day, and one of another week is nowhere', () => {
    const days = layout(
      span('2027-03-22T22:00', '2027-03-23T00:00'),
      span('2027-03-21T22:00', '2027-03-22T00:00'),
      span('2027-03-29T00:00', '2027-03-29T01:00'),
    )
    expect(days.map(({ segments }) => segments.length)).toEqual([1, 0, 0, 0, 0, 0, 0])
  })
  test('Items that overlap stand side by side, also over a third one', () => {
    const [day] = layout(
      span('2027-03-22T09:00', '2027-03-22T11:00'),
      span('2027-03-22T10:00', '2027-03-22T12:00'),
      span('2027-03-22T11:00', '2027-03-22T13:00'),
      span('2027-03-22T13:00', '2027-03-22T14:00'),
    )
    expect(day!.segments.map(({ column, columns }) => [column, columns])).toEqual([
      [0, 2],
      [1, 2],
      [0, 2],
      [0, 1],
    ])
  })
  test('An item of a day or longer stands above the hours of each of its days', () => {
    const days = layout(span('2027-03-23T12:00', '2027-03-25T12:00'))
    expect(days.map(({ long }) => long.length)).toEqual([0, 1, 1, 1, 0, 0, 0])
    expect(days.every(({ segments }) => segments.length === 0)).toBe(true)
  })
  test('An item without an end has a height, at the end of a day too', () => {
    const [day] = layout(span('2027-03-22T09:00'), span('2027-03-22T23:55'))
    expect(day!.segments.map(({ from, to }) => [from, to])).toEqual([
      [540, 570],
      [1415, 1440],
    ])
  })
  test('On the day on which the clock skips an hour, items stand where the clock shows them', () => {
    const days = layout({ start_at: '2027-03-28T00:30:00Z', end_at: '2027-03-28T01:30:00Z' })
    expect(days[6]!.segments).toMatchObject([{ from: 90, to: 210 }])
  })
  test('In the hour that the clock shows twice, an item that ends before its start has a height', () => {
    const sunday = readDay('2027-10-31')!
    const entry = { start_at: '2027-10-31T00:50:00Z', end_at: '2027-10-31T01:10:00Z' }
    const [day] = layoutOf([entry], [sunday], BERLIN)
    expect(day!.segments).toMatchObject([{ from: 170, to: 195 }])
  })
})

describe('Moves', () => {
  const entry = (from: string, to: string, more: Partial<Movable> = {}): Movable => ({
    ...span(from, to),
    timezone: BERLIN,
    rrule: null,
    recurrence_start: null,
    ...more,
  })
  test('A move over a change of the clock keeps the time on the clock, and the length', () => {
    const moved = movedBy(entry('2027-03-27T09:00', '2027-03-27T10:00'), DAY, BERLIN)
    expect([shown(moved.start_at), shown(moved.end_at!)]).toEqual(['2027-03-28T09:00', '2027-03-28T10:00'])
    const night = movedBy(entry('2027-03-26T23:00', '2027-03-27T05:00'), DAY, BERLIN)
    expect(Date.parse(night.end_at!) - Date.parse(night.start_at)).toBe(6 * HOUR)
  })
  test('The end moves, and not before the least length', () => {
    const item = entry('2027-03-22T09:00', '2027-03-22T10:00')
    expect(shown(endMovedBy(item, 30 * MINUTE, BERLIN, 15 * MINUTE).end_at!)).toBe('2027-03-22T10:30')
    expect(shown(endMovedBy(item, -2 * HOUR, BERLIN, 15 * MINUTE).end_at!)).toBe('2027-03-22T09:15')
    expect(shown(endMovedBy({ ...item, end_at: null }, HOUR, BERLIN, 15 * MINUTE).end_at!)).toBe(
      '2027-03-22T10:00',
    )
  })
  test('A series moves as its occurrence did, over a change of the clock too', () => {
    const occurrence = entry('2027-04-05T09:00', '2027-04-05T09:30', {
      rrule: 'FREQ=WEEKLY;BYDAY=MO',
      recurrence_start: iso('2027-03-22T09:00'),
    })
    const to = movedBy(occurrence, DAY + HOUR, BERLIN)
    const change = seriesChange(occurrence, to)!
    expect(change.rrule).toBe('FREQ=WEEKLY;BYDAY=TU')
    expect([shown(change.start_at), shown(change.end_at!)]).toEqual(['2027-03-23T10:00', '2027-03-23T10:30'])
  })
  test('A rule moves with its days where it can', () => {
    const moved = (rule: string, days: number, day = '2027-03-22') =>
      movedRule(rule, { days, ms: days * DAY, day: readDay(day)! })
    expect(moved('FREQ=DAILY;COUNT=5', 1)).toBe('FREQ=DAILY;COUNT=5')
    expect(moved('FREQ=WEEKLY;BYDAY=MO,SU', -1)).toBe('FREQ=WEEKLY;BYDAY=SU,SA')
    expect(moved('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU', 1)).toBeUndefined()
    expect(moved('FREQ=MONTHLY;BYMONTHDAY=21', 1)).toBe('FREQ=MONTHLY;BYMONTHDAY=22')
    expect(moved('FREQ=MONTHLY;BYDAY=1MO', 1)).toBeUndefined()
    expect(moved('FREQ=MONTHLY;BYDAY=1MO', 0)).toBe('FREQ=MONTHLY;BYDAY=1MO')
    expect(moved('FREQ=DAILY;UNTIL=20270331T215959Z', 1)).toBe('FREQ=DAILY;UNTIL=20270401T215959Z')
  })
})

describe('Simple choices of recurrence', () => {
  const monday = readDay('2027-03-22')!
  test('A choice becomes a rule, and is read back from it', () => {
    for (const choice of ['daily', 'weekly', 'biweekly', 'monthly', 'yearly'] as const) {
      const rule = ruleOf({ choice, weekdays: [2], until: '2027-12-31', rule: '' }, monday)!
      expect(simpleOf(rule, BERLIN)).toMatchObject({ choice, until: '2027-12-31' })
    }
    expect(ruleOf({ choice: 'weekly', weekdays: [4], until: '', rule: '' }, monday)).toBe(
      'FREQ=WEEKLY;BYDAY=MO,FR',
    )
    expect(ruleOf({ choice: 'none', weekdays: [], until: '', rule: '' }, monday)).toBeNull()
    // The server writes the end of the last day, which may be the next day in UTC.
    expect(simpleOf('FREQ=DAILY;UNTIL=20270401T035959Z', 'America/New_York').until).toBe('2027-03-31')
    expect(simpleOf(null, BERLIN).choice).toBe('none')
    expect(dayOf(readWall('2027-03-22T09:00')!)).toBe(monday)
  })
  test('Any other rule stays as its owner wrote it', () => {
    for (const rule of [
      'FREQ=MONTHLY;BYDAY=1MO',
      'FREQ=DAILY;COUNT=5',
      'FREQ=WEEKLY;INTERVAL=3',
      'FREQ=DAILY;BYDAY=MO',
    ]) {
      const simple = simpleOf(rule, BERLIN)
      expect(simple.choice).toBe('custom')
      expect(ruleOf(simple, monday)).toBe(rule)
    }
  })
})
