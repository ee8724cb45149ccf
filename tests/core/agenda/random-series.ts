/** Random rules, and the days of a rule as another implementation of RFC 5545 finds them. */
import { expect } from 'bun:test'
import { RRuleTemporal } from 'rrule-temporal'
import { type Series, startsFrom } from '../../../src/core/agenda/series.ts'
import { Slices } from '../../../src/util/slices.ts'
import type { Random } from '../../support/random.ts'

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut']
const TIMES = ['00:00', '00:30', '02:30', '09:00', '23:45']

const some = (random: Random, most: number, one: () => string | number): string =>
  [...new Set(Array.from({ length: random.between(1, most) }, one))].join(',')
const either = (random: Random, from: number, to: number): number =>
  random.between(from, to) * (random.chance(0.3) ? -1 : 1)

/** A random rule whose parts may be combined. */
function randomRule(random: Random): string {
  const freq = random.pick(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
  const long = freq === 'MONTHLY' || freq === 'YEARLY'
  const parts = [`FREQ=${freq}`]
  if (random.chance(0.4)) parts.push(`INTERVAL=${random.between(2, 5)}`)
  if (random.chance(0.5)) parts.push(`BYMONTH=${some(random, 4, () => random.between(1, 12))}`)
  const yearDays = freq === 'YEARLY' && random.chance(0.2)
  const ordinal = () => `${either(random, 1, 5)}${random.pick(DAYS)}`
  if (yearDays) parts.push(`BYYEARDAY=${some(random, 5, () => either(random, 1, 366))}`)
  else if (random.chance(0.5)) {
    parts.push(`BYDAY=${some(random, 4, long && random.chance(0.5) ? ordinal : () => random.pick(DAYS))}`)
  }
  if (freq !== 'WEEKLY' && random.chance(0.4))
    parts.push(`BYMONTHDAY=${some(random, 6, () => either(random, 1, 31))}`)
  if (random.chance(0.3) && parts.some((part) => part.startsWith('BY'))) {
    parts.push(`BYSETPOS=${some(random, 3, () => either(random, 1, 8))}`)
  }
  if (random.chance(0.3)) parts.push(`WKST=${random.pick(DAYS)}`)
  return parts.join(';')
}

export function randomSeries(random: Random, rrule = randomRule(random)): Series {
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

export async function compareWithLibrary(random: Random, rules: number): Promise<void> {
  for (let i = 0; i < rules; i++) {
    const series = randomSeries(random)
    if (isMisread(series.rrule)) continue
    const end = new Date(+series.startAt + 10 * 366 * 86_400_000)
    const expected = byLibrary(series, end).take(30).toArray()
    const found: Date[] = []
    const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, series.startAt, new Slices(60_000))
    for await (const start of all) if (start >= end || found.push(start) === 30) break
    expect(found, JSON.stringify(series)).toEqual(expected)
  }
}
