import { describe, expect, test } from 'bun:test'
import {
  periodsOf,
  QUARTER_MS,
  spanBefore,
  spanSince,
  spanUntil,
  UNITS,
  type Unit,
  yearSpan,
} from '../../../src/core/statistics/periods.ts'
import { Random } from '../../support/random.ts'

/** With offsets of 30 and 45 minutes, summer time of 30 minutes and two hours, days without midnight, and a day that was skipped. */
const ZONES = [
  'UTC',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'America/St_Johns',
  'America/New_York',
  'America/Sao_Paulo',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Pacific/Apia',
]
const DAY_MS = 86_400_000

/** The day of a moment, from what a clock in the zone shows. */
function clockOf(timezone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' })
  return (at) => format.format(at)
}

/** The name of the period that has this day. The week by its Thursday, as ISO 8601 defines it. */
function nameOf(day: string, unit: Unit): string {
  if (unit !== 'week') return day.slice(0, { day: 10, month: 7, year: 4 }[unit])
  const at = Date.parse(day)
  const thursday = new Date(at + (3 - ((new Date(at).getUTCDay() + 6) % 7)) * DAY_MS)
  const year = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1
  return `${year}-W${String(week).padStart(2, '0')}`
}

test('every quarter of an hour is in the period that a clock in the time zone shows', () => {
  const random = Random.announced('periods')
  for (let round = 0; round < 60; round++) {
    const timezone = random.pick(ZONES)
    const unit = random.pick(UNITS)
    const start =
      Math.floor(random.between(Date.UTC(2009, 0, 1), Date.UTC(2030, 0, 1)) / QUARTER_MS) * QUARTER_MS
    const end = start + random.between(1, unit === 'day' ? 2000 : 6000) * QUARTER_MS
    const clock = clockOf(timezone)
    const expected = new Map<string, number>()
    for (let at = start; at < end; at += QUARTER_MS) {
      const name = nameOf(clock(at), unit)
      expected.set(name, (expected.get(name) ?? 0) + 1)
    }
    const periods = periodsOf({ start, end }, unit, timezone)
    const shown = periods.map(({ name, start, end }) => [name, (end - start) / QUARTER_MS])
    expect(shown, `${unit} in ${timezone} from ${start}`).toEqual([...expected])
    expect(periods[0]!.start).toBe(start)
    for (const [n, { start }] of periods.entries()) if (n > 0) expect(start).toBe(periods[n - 1]!.end)
  }
})

const days = (span: { start: number; end: number }, timezone: string) =>
  periodsOf(span, 'day', timezone).map(({ date }) => date)

describe('a period up to now', () => {
  const now = Date.parse('2026-11-28T23:20:00Z')

  test.each([
    ['7d', 'UTC', '2026-11-22', '2026-11-28', 7],
    ['7d', 'Asia/Kathmandu', '2026-11-23', '2026-11-29', 7],
    ['1d', 'America/New_York', '2026-11-28', '2026-11-28', 1],
    ['2w', 'UTC', '2026-11-15', '2026-11-28', 14],
    ['1m', 'UTC', '2026-10-29', '2026-11-28', 31],
    ['1y', 'UTC', '2025-11-29', '2026-11-28', 365],
    ['30d', 'America/New_York', '2026-10-30', '2026-11-28', 30],
    ['3660d', 'UTC', '2016-11-21', '2026-11-28', 3660],
  ])('%s in %s has the days from %s to %s', (period, timezone, first, last, count) => {
    const found = days(spanUntil(now, period, timezone), timezone)
    expect([found[0], found.at(-1), found.length]).toEqual([first, last, count])
  })

  test('hours end with the running quarter of an hour', () => {
    expect(spanUntil(now, '24h', 'Asia/Kathmandu')).toEqual({
      start: Date.parse('2026-11-27T23:30:00Z'),
      end: Date.parse('2026-11-28T23:30:00Z'),
    })
  })

  test.each([
    '',
    '0d',
    '-7d',
    '7',
    'd',
    '7D',
    ' 7d',
    '7d ',
    '1.5d',
    '3661d',
    '11y',
    '721h',
    '121m',
    '521w',
    '07d',
    '99999d',
    '7s',
    '١d',
    '7d\n',
    '7constructor',
  ])('%j is refused', (period) => {
    expect(() => spanUntil(now, period, 'UTC')).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED' }),
    )
  })

  test('the time before has as many days, also over a change of the clocks', () => {
    const span = spanUntil(Date.parse('2026-03-12T12:00:00Z'), '5d', 'America/New_York')
    expect(days(span, 'America/New_York')).toHaveLength(5)
    const before = spanBefore(span, 'America/New_York')
    expect(days(before, 'America/New_York')).toEqual([
      '2026-03-03',
      '2026-03-04',
      '2026-03-05',
      '2026-03-06',
      '2026-03-07',
    ])
    expect(before.end).toBe(span.start)
    const hours = spanUntil(now, '24h', 'America/New_York')
    expect(spanBefore(hours, 'America/New_York')).toEqual({ start: hours.start - DAY_MS, end: hours.start })
  })
})

describe('periods without photos', () => {
  test('a year has all its days, weeks and months', () => {
    const span = yearSpan(2024, 'Europe/Berlin')
    expect(UNITS.map((unit) => periodsOf(span, unit, 'Europe/Berlin').length)).toEqual([366, 53, 12, 1])
    expect(periodsOf(span, 'week', 'Europe/Berlin').at(-1)).toMatchObject({
      name: '2025-W01',
      date: '2024-12-30',
    })
    expect(periodsOf(yearSpan(2021, 'UTC'), 'week', 'UTC')[0]).toMatchObject({
      name: '2020-W53',
      date: '2020-12-28',
    })
  })

  test('a day that the time zone has skipped is none', () => {
    const span = { start: Date.parse('2011-12-29T10:00:00Z'), end: Date.parse('2011-12-31T10:00:00Z') }
    expect(days(span, 'Pacific/Apia')).toEqual(['2011-12-29', '2011-12-31'])
  })

  test('the years 1 and 9999 exist', () => {
    for (const year of [1, 9999]) {
      const months = periodsOf(yearSpan(year, 'Asia/Kathmandu'), 'month', 'Asia/Kathmandu')
      expect(months.map(({ name }) => name).slice(0, 2)).toEqual([
        `${String(year).padStart(4, '0')}-01`,
        `${String(year).padStart(4, '0')}-02`,
      ])
      expect(months).toHaveLength(12)
    }
  })

  test('all of them from the first on, and no more than asked', () => {
    const now = Date.parse('2026-11-28T12:00:00Z')
    const names = (first: string, most: number, unit: Unit = 'month') =>
      periodsOf(spanSince(Date.parse(first), now, unit, most, 'UTC'), unit, 'UTC').map(({ name }) => name)
    expect(names('2026-09-30T23:59:59Z', 400)).toEqual(['2026-09', '2026-10', '2026-11'])
    expect(names('1900-01-01T00:00:00Z', 2)).toEqual(['2026-10', '2026-11'])
    // Taken in the future.
    expect(names('2100-01-01T00:00:00Z', 400)).toEqual(['2026-11'])
    expect(names('2026-11-22T00:00:00Z', 400, 'week')).toEqual(['2026-W47', '2026-W48'])
    expect(names('1000-01-01T00:00:00Z', 400, 'year')).toHaveLength(400)
  })
})
