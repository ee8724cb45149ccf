/** Which rules are accepted, and that none costs the server much time. */
import { describe, expect, spyOn, test } from 'bun:test'
import { readRule } from '../../../src/core/agenda/recurrence.ts'
import { Periods } from '../../../src/core/agenda/rule-days.ts'
import { startsFrom } from '../../../src/core/agenda/series.ts'
import { AppError } from '../../../src/core/errors.ts'
import { Slices } from '../../../src/util/slices.ts'

/** A Monday. */
const startAt = new Date('2024-01-01T09:00:00Z')
const read = (rrule: string, start = startAt) => readRule({ startAt: start, timezone: 'UTC', rrule })
const refusal = async (rrule: string, start = startAt): Promise<string> => {
  try {
    return JSON.stringify(await read(rrule, start))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.issues.map(({ field, rule }) => `${field}: ${rule}`).join()
  }
}

describe('a rule', () => {
  test.each([
    ['FREQ=DAILY', 'FREQ=DAILY', null],
    [' rrule:freq=daily;interval=2 ', 'FREQ=DAILY;INTERVAL=2', null],
    ['BYDAY=MO,WE;FREQ=WEEKLY;WKST=SU', 'FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU', null],
    ['FREQ=DAILY;COUNT=3', 'FREQ=DAILY;COUNT=3', '2024-01-03'],
    ['FREQ=DAILY;COUNT=1', 'FREQ=DAILY;COUNT=1', '2024-01-01'],
    ['FREQ=DAILY;UNTIL=20240103T085959Z', 'FREQ=DAILY;UNTIL=20240103T085959Z', '2024-01-02'],
    ['FREQ=DAILY;UNTIL=20240103', 'FREQ=DAILY;UNTIL=20240103T235959Z', '2024-01-03'],
    ['FREQ=DAILY;UNTIL=99991231', 'FREQ=DAILY;UNTIL=99991231T235959Z', '2999-12-31'],
    ['FREQ=WEEKLY;COUNT=1000', 'FREQ=WEEKLY;COUNT=1000', '2043-02-23'],
    ['FREQ=MONTHLY;BYDAY=+1MO', 'FREQ=MONTHLY;BYDAY=+1MO', null],
    ['FREQ=YEARLY;BYYEARDAY=1,-1', 'FREQ=YEARLY;BYYEARDAY=1,-1', null],
    [
      'FREQ=YEARLY;BYMONTHDAY=1;BYMONTH=1;BYSETPOS=-1',
      'FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;BYSETPOS=-1',
      null,
    ],
  ])('%s is taken', async (text, canonical, last) => {
    const { rrule, lastStart } = await read(text)
    expect(rrule).toBe(canonical)
    expect(lastStart?.toISOString().slice(0, 10) ?? null).toBe(last)
    // The canonical form is read as itself.
    expect(await read(rrule)).toEqual({ rrule, lastStart })
  })

  test.each([
    '',
    'nonsense',
    'FREQ=',
    'FREQ=SECONDLY',
    'FREQ=MINUTELY',
    'FREQ=HOURLY',
    'FREQ=FORTNIGHTLY',
    'INTERVAL=2',
    'FREQ=DAILY;FREQ=DAILY',
    'FREQ=DAILY;',
    'FREQ=DAILY;INTERVAL=0',
    'FREQ=DAILY;INTERVAL=-1',
    'FREQ=DAILY;INTERVAL=1001',
    'FREQ=DAILY;INTERVAL=1e2',
    'FREQ=DAILY;COUNT=0',
    'FREQ=DAILY;COUNT=1001',
    'FREQ=DAILY;COUNT=9999999999999999999',
    'FREQ=DAILY;COUNT=2;UNTIL=20240103T090000Z',
    'FREQ=DAILY;UNTIL=20240103T090000',
    'FREQ=DAILY;UNTIL=20241399',
    'FREQ=DAILY;UNTIL=tomorrow',
    'FREQ=DAILY;BYHOUR=9',
    'FREQ=DAILY;BYMINUTE=0',
    'FREQ=DAILY;BYSECOND=0',
    'FREQ=YEARLY;BYWEEKNO=1',
    'FREQ=YEARLY;BYDAY=53MO',
    'FREQ=WEEKLY;BYDAY=1MO',
    'FREQ=YEARLY;BYDAY=MO,1TU',
    'FREQ=YEARLY;BYYEARDAY=1;BYDAY=MO',
    'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1,100,-1',
    'FREQ=YEARLY;BYDAY=MO;BYSETPOS=32',
    'FREQ=WEEKLY;BYDAY=XX',
    'FREQ=WEEKLY;BYMONTHDAY=1',
    'FREQ=MONTHLY;BYMONTHDAY=0',
    'FREQ=MONTHLY;BYMONTHDAY=32',
    'FREQ=MONTHLY;BYYEARDAY=1',
    'FREQ=DAILY;BYMONTH=13',
    'FREQ=DAILY;BYMONTH=1,,2',
    'FREQ=DAILY;BYSETPOS=1',
    'FREQ=WEEKLY;BYDAY=MO;BYSETPOS=0',
    'FREQ=WEEKLY;WKST=MO,TU',
    'FREQ=DAILY;RSCALE=CHINESE',
    'FREQ=DAILY;X-NAME=1',
    'FREQ=DAILY;__PROTO__=1',
    'FREQ=DAILY;CONSTRUCTOR=1',
    'FREQ=DAILY\r\nDTSTART:20200101T000000Z',
    'FREQ=DAILY\nATTENDEE:MAILTO:A@EXAMPLE.COM',
    'FREQ=DAILY=1',
  ])('%j is no rule', async (text) => expect(await refusal(text)).toBe('rrule: recurrence'))

  test.each([
    'FREQ=WEEKLY;BYDAY=TU',
    'FREQ=MONTHLY;BYDAY=-1MO',
    'FREQ=DAILY;UNTIL=20231231',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
  ])('%s does not begin with the item', async (text) =>
    expect(await refusal(text)).toBe('rrule: recurrence_start'),
  )
})

describe('in time', () => {
  /** How many periods of the rule a computation looks at. Each costs at most a few hundred comparisons. */
  const periodsOf = async (run: () => unknown): Promise<number> => {
    const days = spyOn(Periods.prototype, 'days')
    try {
      await run()
      return days.mock.calls.length
    } finally {
      days.mockRestore()
    }
  }

  test.each([
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;BYDAY=1TH;BYSETPOS=2',
    'FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYSETPOS=5',
    'FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1;BYSETPOS=5',
    'FREQ=YEARLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=30;BYDAY=FR;COUNT=1000',
    'FREQ=DAILY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=29;COUNT=1000',
    'FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1;COUNT=1000',
    `FREQ=YEARLY;BYYEARDAY=${Array.from({ length: 366 }, (_, i) => i + 1)};BYSETPOS=${Array.from({ length: 31 }, (_, i) => i + 1)};COUNT=1000`,
    'FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1,31,-1;COUNT=1000',
  ])('%s is read or given up', async (text) => {
    // No more than there are months until the end of the year 2999.
    expect(await periodsOf(() => refusal(text))).toBeWithin(1, 976 * 12 + 1)
  })

  test('the last of many is found', async () => {
    const days = Array.from({ length: 31 }, (_, i) => i + 1)
    const rules = [
      `FREQ=YEARLY;BYMONTHDAY=${days};BYSETPOS=1;UNTIL=29991231`,
      `FREQ=YEARLY;BYMONTHDAY=${days};BYSETPOS=1;COUNT=100`,
    ]
    const found = await Promise.all(rules.map((rule) => read(rule)))
    expect(found.map(({ lastStart }) => lastStart?.getUTCFullYear())).toEqual([2999, 2123])
  })

  test('a series of a thousand years is entered anywhere at once, and lazily', async () => {
    const series = { startAt: new Date('1900-01-01T09:00:00Z'), timezone: 'Europe/Berlin', exceptions: [] }
    for (const rrule of ['FREQ=DAILY', 'FREQ=WEEKLY;INTERVAL=3', 'FREQ=MONTHLY;BYDAY=1MO', 'FREQ=YEARLY']) {
      const looked = await periodsOf(async () => {
        const recurring = { ...series, rrule, lastStart: null }
        const starts = startsFrom(recurring, new Date('2990-01-01'), new Slices(60_000))
        expect(((await starts.next()).value as Date).toISOString()).toStartWith('2990')
      })
      // The period of the moment, and the next one when no occurrence is left in it.
      expect(looked).toBeWithin(1, 3)
    }
  })

  test('nothing begins after the year 2999', async () => {
    const series = { startAt, timezone: 'UTC', rrule: 'FREQ=YEARLY', exceptions: [], lastStart: null }
    const years: number[] = []
    for await (const at of startsFrom(series, new Date('2990-06-01'), new Slices(60_000))) {
      years.push(at.getUTCFullYear())
    }
    expect(years).toEqual([2991, 2992, 2993, 2994, 2995, 2996, 2997, 2998, 2999])
  })
})
