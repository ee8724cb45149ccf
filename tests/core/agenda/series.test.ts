/** The days of a rule, compared with another implementation of RFC 5545, and how much is computed between two pauses. */
import { describe, expect, spyOn, test } from 'bun:test'
import { RRuleTemporal } from 'rrule-temporal'
import { readRule } from '../../../src/core/agenda/recurrence.ts'
import { Periods } from '../../../src/core/agenda/rule-days.ts'
import { type Series, startsFrom } from '../../../src/core/agenda/series.ts'
import { Slices } from '../../../src/util/slices.ts'
import { Random } from '../../support/random.ts'

const random = Random.announced('agenda series')
const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut']
const TIMES = ['00:00', '00:30', '02:30', '09:00', '23:45']

const some = (most: number, one: () => string | number): string =>
  [...new Set(Array.from({ length: random.between(1, most) }, one))].join(',')
const either = (from: number, to: number): number => random.between(from, to) * (random.chance(0.3) ? -1 : 1)

/** A random rule whose parts may be combined. */
function randomRule(): string {
  const freq = random.pick(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
  const long = freq === 'MONTHLY' || freq === 'YEARLY'
  const parts = [`FREQ=${freq}`]
  if (random.chance(0.4)) parts.push(`INTERVAL=${random.between(2, 5)}`)
  if (random.chance(0.5)) parts.push(`BYMONTH=${some(4, () => random.between(1, 12))}`)
  const yearDays = freq === 'YEARLY' && random.chance(0.2)
  const ordinal = () => `${either(1, 5)}${random.pick(DAYS)}`
  if (yearDays) parts.push(`BYYEARDAY=${some(5, () => either(1, 366))}`)
  else if (random.chance(0.5)) {
    parts.push(`BYDAY=${some(4, long && random.chance(0.5) ? ordinal : () => random.pick(DAYS))}`)
  }
  if (freq !== 'WEEKLY' && random.chance(0.4)) parts.push(`BYMONTHDAY=${some(6, () => either(1, 31))}`)
  if (random.chance(0.3) && parts.some((part) => part.startsWith('BY'))) {
    parts.push(`BYSETPOS=${some(3, () => either(1, 8))}`)
  }
  if (random.chance(0.3)) parts.push(`WKST=${random.pick(DAYS)}`)
  return parts.join(';')
}

function randomSeries(rrule = randomRule()): Series {
  const day = Temporal.PlainDate.from({
    year: random.between(2020, 2030),
    month: random.between(1, 12),
    day: random.between(1, 28),
  })
  const timezone = random.pick(ZONES)
  const start = day.toPlainDateTime(random.pick(TIMES)).toZonedDateTime(timezone)
  return { rrule, timezone, startAt: new Date(start.epochMilliseconds) }
}

/** For these rules the library differs from RFC 5545: it adds the days of a month to those of a year, or to ordinal weekdays. */
const isMisread = (rrule: string): boolean =>
  /^FREQ=YEARLY.*BYMONTHDAY/.test(rrule) && /BYYEARDAY|BYDAY=[-\d]/.test(rrule)

/** Empty when the library gives up its search, which it does after some years without an occurrence. */
function* byLibrary({ startAt, timezone, rrule }: Series, end: Date): Generator<Date> {
  const dtstart = Temporal.Instant.fromEpochMilliseconds(+startAt).toZonedDateTimeISO(timezone)
  const limits = { maxIterations: 5000, maxCandidateEvaluations: 20_000, cache: false, strict: true }
  const rule = new RRuleTemporal({ rruleString: rrule, dtstart, temporal: Temporal, ...limits })
  const next = (after: Date, inclusive: boolean) => {
    try {
      const found = rule.next(after, inclusive)
      return found ? new Date(found.epochMilliseconds) : undefined
    } catch {
      return undefined
    }
  }
  for (let at = next(startAt, true); at && at < end; at = next(at, false)) yield at
}

test('random rules name the days that another implementation finds', async () => {
  for (let i = 0; i < 300; i++) {
    const series = randomSeries()
    if (isMisread(series.rrule)) continue
    const end = new Date(+series.startAt + 10 * 366 * 86_400_000)
    const expected = byLibrary(series, end).take(30).toArray()
    const found: Date[] = []
    const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, series.startAt, new Slices(60_000))
    for await (const start of all) if (start >= end || found.push(start) === 30) break
    expect(found, JSON.stringify(series)).toEqual(expected)
  }
}, 60_000)

test.each([
  ['FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=1,2,3', ['2024-01-01', '2028-01-03', '2029-01-01']],
  ['FREQ=YEARLY;BYYEARDAY=1,60;BYMONTHDAY=29', ['2024-02-29', '2028-02-29', '2032-02-29']],
])('%s: every part leaves days out', async (rrule, days) => {
  const series = { rrule, timezone: 'UTC', startAt: new Date(days[0]!), lastStart: null, exceptions: [] }
  const found: string[] = []
  for await (const start of startsFrom(series, series.startAt, new Slices(60_000))) {
    if (found.push(start.toISOString().slice(0, 10)) === days.length) break
  }
  expect(found).toEqual(days)
})

describe('between two pauses for other requests', () => {
  /** Counts the days between two steps. A count, because a time would depend on the load of the machine. */
  async function mostDays(run: (slices: () => Slices) => Promise<unknown>): Promise<number> {
    let most = 0
    let looked = 0
    const days = Periods.prototype.days
    const spies = [
      spyOn(Periods.prototype, 'days').mockImplementation(function (this: Periods, period) {
        const [from, to] = this.bounds(period)
        looked += to - from
        most = Math.max(most, looked)
        return days.call(this, period)
      }),
      spyOn(Slices.prototype, 'step').mockImplementation(async () => {
        looked = 0
      }),
    ]
    try {
      await run(() => new Slices(60_000))
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
    return most
  }
  const numbers = (to: number) => Array.from({ length: to }, (_, n) => `${n + 1},${-n - 1}`).join(',')

  test.each([
    ['FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=20,29,11;BYDAY=FR;BYSETPOS=31', '2026-02-20'],
    [`FREQ=YEARLY;BYYEARDAY=${numbers(150)};BYSETPOS=${numbers(31)};COUNT=1000`, '2026-01-01'],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000', '2044-02-29'],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', '2026-02-28'],
    ['FREQ=WEEKLY;INTERVAL=1000;BYMONTH=2;BYDAY=MO;UNTIL=29991231', '2026-02-02'],
    ['FREQ=MONTHLY;BYDAY=5MO,-5MO;BYMONTHDAY=31;BYSETPOS=2', '2026-02-02'],
  ])('%s: at most two years are looked at', async (rrule, day) => {
    const series = { rrule, timezone: 'Europe/Berlin', startAt: new Date(`${day}T09:00Z`) }
    const most = await mostDays(async (slices) => {
      await readRule(series).catch(() => undefined)
      const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, series.startAt, slices())
      for await (const _ of all);
    })
    expect(most).toBeWithin(1, 2 * 366 + 1)
  })

  test('so it is of random rules', async () => {
    for (let i = 0; i < 60; i++) {
      const series = randomSeries()
      const most = await mostDays(async (slices) => {
        await readRule(series).catch(() => undefined)
        const from = new Date(random.between(2030, 2900), 1)
        const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, from, slices())
        let n = 0
        for await (const _ of all) if (++n === 20) break
      })
      expect(most, JSON.stringify(series)).toBeWithin(0, 2 * 366 + 1)
    }
  })
})
