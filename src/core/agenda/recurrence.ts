/** Recurrence rules of RFC 5545, 3.3.10, without the parts about which calendar programs disagree. */
import { OverBudget, Slices } from '../../util/slices.ts'
import { invalid } from '../errors.ts'
import { Calendar, endOfRule, type Series, startsFrom } from './series.ts'

/** In ms, for reading a rule; the most expensive rules take a tenth of it. */
const BUDGET_MS = 1000
const DAY_MS = 86_400_000

const DAY = '(?:MO|TU|WE|TH|FR|SA|SU)'
const list = (one: string) => new RegExp(`^${one}(?:,${one}){0,365}$`)
const DAY_OF_YEAR = '[+-]?(?:[1-9]|[1-9]\\d|[12]\\d\\d|3[0-5]\\d|36[0-6])'

/**
 * The parts that a rule may have, in the order of the canonical form. Rules that repeat within a day are refused, and
 * BYWEEKNO, which Outlook and Google cannot read. Also refused, because calendar programs disagree about them: weekdays
 * with and without an ordinal in one list, ordinals above five, and positions above the days of a month.
 */
const PARTS: Record<string, RegExp> = {
  FREQ: /^(DAILY|WEEKLY|MONTHLY|YEARLY)$/,
  INTERVAL: /^([1-9]\d{0,2}|1000)$/,
  COUNT: /^([1-9]\d{0,2}|1000)$/,
  UNTIL: /^\d{8}(T\d{6}Z)?$/,
  BYDAY: new RegExp(`${list(DAY).source}|${list(`[+-]?[1-5]${DAY}`).source}`),
  BYMONTH: list('(?:[1-9]|1[0-2])'),
  BYMONTHDAY: list('[+-]?(?:[1-9]|[12]\\d|3[01])'),
  BYSETPOS: list('[+-]?(?:[1-9]|[12]\\d|3[01])'),
  BYYEARDAY: list(DAY_OF_YEAR),
  WKST: new RegExp(`^${DAY}$`),
}

/**
 * Reads a rule, whose first occurrence must be the series' start. For any other start RFC 5545 (3.8.5.3) does not define
 * the occurrences, and calendar programs show different ones.
 * @returns the rule in its canonical form, in which an UNTIL that is a day becomes the end of that day; and the start of
 *   its last occurrence, null when the rule has no end
 * @throws AppError VALIDATION_FAILED
 */
export async function readRule(series: Series): Promise<{ rrule: string; lastStart: Date | null }> {
  const rrule = canonical(series.rrule, series.timezone)
  if (!rrule) throw invalid('rrule', 'recurrence')
  const read = { ...series, rrule }
  if (!beginsWithItsStart(read)) throw invalid('rrule', 'recurrence_start')
  try {
    return { rrule, lastStart: await lastOf(read, new Slices(BUDGET_MS)) }
  } catch (error) {
    throw error instanceof OverBudget ? invalid('rrule', 'recurrence') : error
  }
}

/** The rule with its parts in order and without defaults; undefined when it is not valid. */
function canonical(text: string, timezone: string): string | undefined {
  const pairs = text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .split(';')
    .map((part) => part.split('=') as [name: string, value: string, ...more: string[]])
  const parts = new Map(pairs.map(([name, value]) => [name, value]))
  const fits = pairs.every(
    ([name, value, ...more]) =>
      more.length === 0 && Object.hasOwn(PARTS, name) && PARTS[name]!.test(value ?? ''),
  )
  if (!fits || parts.size < pairs.length || !agree(parts)) return undefined
  if (parts.get('INTERVAL') === '1') parts.delete('INTERVAL')
  const until = parts.get('UNTIL')
  if (until !== undefined) {
    const end = endOfDay(until, timezone)
    if (!end) return undefined
    parts.set('UNTIL', end)
  }
  return Object.keys(PARTS)
    .filter((name) => parts.has(name))
    .map((name) => `${name}=${listOf(name, parts.get(name)!)}`)
    .join(';')
}

/** Without repeated values, and with numbers in their shortest form. */
const listOf = (name: string, value: string): string =>
  name.startsWith('BY') && name !== 'BYDAY'
    ? [...new Set(value.split(',').map(Number))].join(',')
    : [...new Set(value.split(','))].join(',')

/** Whether the parts may stand in one rule (RFC 5545, 3.3.10). */
function agree(parts: Map<string, string>): boolean {
  const freq = parts.get('FREQ')
  const ordinals = /\d/.test(parts.get('BYDAY') ?? '')
  return (
    freq !== undefined &&
    !(parts.has('COUNT') && parts.has('UNTIL')) &&
    !(parts.has('BYYEARDAY') && (freq !== 'YEARLY' || parts.has('BYDAY'))) &&
    !(parts.has('BYMONTHDAY') && freq === 'WEEKLY') &&
    !(ordinals && freq !== 'MONTHLY' && freq !== 'YEARLY') &&
    !(parts.has('BYSETPOS') && !['BYDAY', 'BYMONTH', 'BYMONTHDAY', 'BYYEARDAY'].some((by) => parts.has(by)))
  )
}

/** The last second of the last year with four digits. */
const LAST_MOMENT = Temporal.Instant.from('9999-12-31T23:59:59Z')

/** An UNTIL as a moment; a day means its end in the series' time zone. Undefined when there is no such day or hour. */
function endOfDay(until: string, timezone: string): string | undefined {
  try {
    const moment = until.includes('T')
      ? Temporal.Instant.from(until)
      : Temporal.PlainDate.from(until).toPlainDateTime('23:59:59').toZonedDateTime(timezone).toInstant()
    const written = Temporal.Instant.compare(moment, LAST_MOMENT) > 0 ? LAST_MOMENT : moment
    const text = written.toString().replace(/[-:]|\.\d+/g, '')
    return /^\d{8}T/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

function beginsWithItsStart(series: Series): boolean {
  const calendar = new Calendar(series)
  const { startDay } = calendar
  return series.startAt <= endOfRule(series.rrule) && calendar.days(0, startDay, startDay).length > 0
}

/**
 * The start of the last occurrence.
 * @throws OverBudget
 */
async function lastOf(series: Series, slices: Slices): Promise<Date | null> {
  const endless = { ...series, lastStart: null, exceptions: [] }
  const [, count] = /COUNT=(\d+)/.exec(series.rrule) ?? []
  if (count) {
    let last = series.startAt
    let n = 0
    for await (const start of startsFrom(endless, series.startAt, slices)) {
      last = start
      if (++n === Number(count)) break
    }
    return last
  }
  if (!series.rrule.includes('UNTIL=')) return null
  const end = endOfRule(series.rrule).getTime()
  // Searches backwards from the end in growing spans, so that it computes few occurrences.
  for (let span = DAY_MS; ; span *= 4) {
    const from = new Date(Math.max(end - span, series.startAt.getTime()))
    let last: Date | undefined
    for await (const start of startsFrom(endless, from, slices)) last = start
    if (last) return last
    await slices.step()
  }
}
