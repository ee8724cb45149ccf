/** Recurrence rules of RFC 5545, 3.3.10, as far as calendar programs agree on them. */
import { RRuleTemporal } from 'rrule-temporal'
import { Slices } from '../../util/slices.ts'
import { AppError, invalid } from '../errors.ts'
import { LATEST, onClock } from './times.ts'

/**
 * The library gives up a search after so many periods, some milliseconds: on a rule that never comes true, or
 * hardly ever.
 */
const MAX_STEPS = 5000
const MAX_CANDIDATES = 20_000
/** In ms, for reading a rule: one that takes so long is as good as none. */
const BUDGET_MS = 1000
const DAY_MS = 86_400_000

const DAY = '(?:MO|TU|WE|TH|FR|SA|SU)'
const list = (one: string) => new RegExp(`^${one}(?:,${one}){0,365}$`)
const DAY_OF_YEAR = '[+-]?(?:[1-9]|[1-9]\\d|[12]\\d\\d|3[0-5]\\d|36[0-6])'

/**
 * The parts a rule may have. Not among them: what repeats within a day, and BYWEEKNO, which Outlook and Google can't
 * read. An ordinal weekday counts to five, of a month or a year; the library loses the others of a list that has both.
 * A position counts to a month's days: the 366th of a year is found in so long a time that a list of them is a weapon.
 */
const PARTS: Record<string, RegExp> = {
  FREQ: /^(DAILY|WEEKLY|MONTHLY|YEARLY)$/,
  INTERVAL: /^([1-9]\d{0,2}|1000)$/,
  COUNT: /^([1-9]\d{0,2}|1000)$/,
  UNTIL: /^\d{8}(T\d{6}Z)?$/,
  WKST: new RegExp(`^${DAY}$`),
  BYDAY: new RegExp(`${list(DAY).source}|${list(`[+-]?[1-5]${DAY}`).source}`),
  BYMONTHDAY: list('[+-]?(?:[1-9]|[12]\\d|3[01])'),
  BYYEARDAY: list(DAY_OF_YEAR),
  BYMONTH: list('(?:[1-9]|1[0-2])'),
  BYSETPOS: list('[+-]?(?:[1-9]|[12]\\d|3[01])'),
}

export interface Series {
  startAt: Date
  timezone: string
  rrule: string
}

/**
 * Reads a rule, whose first occurrence must be the series' start: where it isn't, RFC 5545 (3.8.5.3) leaves the
 * occurrences undefined, and calendar programs show different ones.
 * @returns the rule in its canonical form, an UNTIL that is a day as the end of that day; and when its last
 *   occurrence starts, null when it has none
 * @throws AppError VALIDATION_FAILED
 */
export async function readRule(series: Series): Promise<{ rrule: string; lastStart: Date | null }> {
  const text = series.rrule
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
  if (!hasGoodParts(text)) throw invalid('rrule', 'recurrence')
  try {
    // Strict, the library refuses an UNTIL that is a day; not strict, it makes a time of it.
    const [, rrule] = /RRULE:(.*)/.exec(engine({ ...series, rrule: text }, false).toString())!
    const rule = engine({ ...series, rrule: rrule! }, true)
    if (rule.next(series.startAt, true)?.epochMilliseconds !== series.startAt.getTime()) {
      throw invalid('rrule', 'recurrence_start')
    }
    // It must also find the second one in time, or learn that there is none.
    rule.next(series.startAt)
    return { rrule: rrule!, lastStart: await lastOf({ ...series, rrule: rrule! }, new Slices(BUDGET_MS)) }
  } catch (error) {
    throw error instanceof AppError ? error : invalid('rrule', 'recurrence')
  }
}

/**
 * When the last occurrence starts. Not by the library's `previous`: it goes through all of them at once, seconds with
 * the worst of rules, in which nothing else happens.
 * @throws OverBudget
 */
async function lastOf(series: Series, slices: Slices): Promise<Date | null> {
  const [, count] = /COUNT=(\d+)/.exec(series.rrule) ?? []
  const endless = { ...series, lastStart: null, exceptions: [] }
  if (count) {
    let last = series.startAt
    let n = 0
    for (const start of startsFrom(endless, series.startAt)) {
      last = start
      if (++n === Number(count)) break
      await slices.step()
    }
    return last
  }
  const [, until] = /UNTIL=(\d{8}T\d{6}Z)/.exec(series.rrule) ?? []
  if (!until) return null
  const end = Math.min(Temporal.Instant.from(until).epochMilliseconds, LATEST.getTime())
  // Back from the end in growing steps, so that there are few to go through.
  for (let span = DAY_MS; ; span *= 4) {
    const from = new Date(Math.max(end - span, series.startAt.getTime()))
    let last: Date | undefined
    for (const start of startsFrom(endless, from)) {
      last = start
      await slices.step()
    }
    if (last) return last
  }
}

function hasGoodParts(text: string): boolean {
  const parts = text.split(';').map((part) => part.split('='))
  const names = parts.map(([name]) => name!)
  return (
    names.includes('FREQ') &&
    // The weekday would limit the days (RFC 5545, 3.3.10); the library ignores it.
    !(names.includes('BYYEARDAY') && names.includes('BYDAY')) &&
    new Set(names).size === names.length &&
    parts.every(([name, value, ...more]) => more.length === 0 && PARTS[name!]?.test(value ?? ''))
  )
}

const engine = ({ startAt, timezone, rrule }: Series, strict: boolean) =>
  new RRuleTemporal({
    rruleString: rrule,
    dtstart: onClock(startAt, timezone),
    temporal: Temporal,
    maxIterations: MAX_STEPS,
    maxCandidateEvaluations: MAX_CANDIDATES,
    cache: false,
    strict,
  })

export interface Recurring extends Series {
  /** When the last occurrence starts; null: the rule has no end. */
  lastStart: Date | null
  exceptions: readonly string[]
}

/** When the occurrences start that start at `from` or later, in order, exceptions left out. Lazy: it may be endless. */
export function* startsFrom({ lastStart, exceptions, ...series }: Recurring, from: Date): Generator<Date> {
  // With a COUNT the library would count from the first occurrence at every step. The end is known without it.
  const rule = engine({ ...series, rrule: series.rrule.replace(/;COUNT=\d+/, '') }, true)
  const end = lastStart ?? LATEST
  const excluded = new Set(exceptions.map((text) => Date.parse(text)))
  for (let next = nextOf(rule, from, true); next && next <= end; next = nextOf(rule, next, false)) {
    if (!excluded.has(next.getTime())) yield next
  }
}

/** A search that was given up counts as the end: what comes after so long a gap is not worth the server's time. */
function nextOf(rule: ReturnType<typeof engine>, after: Date, inclusive: boolean): Date | undefined {
  try {
    const next = rule.next(after, inclusive)
    return next ? new Date(next.epochMilliseconds) : undefined
  } catch {
    return undefined
  }
}
