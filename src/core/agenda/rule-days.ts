/**
 * The days that a recurrence rule names (RFC 5545, 3.3.10), period by period. A period is a day, a week, a month or a
 * year, and INTERVAL says how many periods apart occurrences are. A period costs a few hundred comparisons at most,
 * whatever the rule, so that a caller can let other requests run between two periods.
 */

/** The weekdays of a rule; their index is the number in ISO 8601 less one. */
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const DAY_MS = 86_400_000
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3

/** Days since 1970-01-01. */
export type DayNumber = number

export type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'

export interface Rule {
  freq: Frequency
  interval: number
  /** Ordinal 0: every such weekday of the period. */
  byDay: { weekday: number; ordinal: number }[] | undefined
  byMonth: number[] | undefined
  byMonthDay: number[] | undefined
  byYearDay: number[] | undefined
  bySetPos: number[] | undefined
  /** The weekday with which a week begins. */
  weekStart: number
}

/** Reads a rule whose parts have been checked. */
export function parseRule(text: string): Rule {
  const parts = new Map(text.split(';').map((part) => part.split('=') as [string, string]))
  const numbers = (name: string) => parts.get(name)?.split(',').map(Number)
  const byDay = parts.get('BYDAY')?.split(',')
  return {
    freq: parts.get('FREQ') as Frequency,
    interval: Number(parts.get('INTERVAL') ?? 1),
    byDay: byDay?.map((day) => ({
      weekday: WEEKDAYS.indexOf(day.slice(-2)),
      ordinal: Number(day.slice(0, -2)),
    })),
    byMonth: numbers('BYMONTH'),
    byMonthDay: numbers('BYMONTHDAY'),
    byYearDay: numbers('BYYEARDAY'),
    bySetPos: numbers('BYSETPOS'),
    weekStart: WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO'),
  }
}

const dayNumber = (year: number, month: number, day: number): DayNumber =>
  Date.UTC(year, month - 1, day) / DAY_MS
export const numberOf = ({ year, month, day }: Temporal.PlainDate): DayNumber => dayNumber(year, month, day)

const modulo = (n: number, by: number): number => ((n % by) + by) % by
const weekdayOf = (day: DayNumber): number => modulo(day + EPOCH_WEEKDAY, 7)

/** The periods of a rule. The first period has the number 0 and contains the day of the first occurrence. */
export class Periods {
  private readonly first: Date
  private readonly matches: (day: DayNumber) => boolean

  constructor(
    private readonly rule: Rule,
    private readonly start: DayNumber,
  ) {
    this.first = new Date(start * DAY_MS)
    this.matches = matcher(rule, this.first)
  }

  /** The number of the period that contains a day, or of the last period before it. */
  at(day: DayNumber): number {
    return Math.floor(this.distance(day) / this.rule.interval)
  }

  /** Whether a day lies in a period, and not in the time that INTERVAL leaves out. */
  holds(day: DayNumber): boolean {
    return modulo(this.distance(day), this.rule.interval) === 0
  }

  /** The first day of a period, and the day after its last one. */
  bounds(period: number): [from: DayNumber, to: DayNumber] {
    const steps = period * this.rule.interval
    const [year, month] = [this.first.getUTCFullYear(), this.first.getUTCMonth() + 1]
    switch (this.rule.freq) {
      case 'DAILY':
        return [this.start + steps, this.start + steps + 1]
      case 'WEEKLY': {
        const from = this.weekOf(this.start) * 7 + this.weekOffset + steps * 7
        return [from, from + 7]
      }
      case 'MONTHLY':
        return [dayNumber(year, month + steps, 1), dayNumber(year, month + steps + 1, 1)]
      case 'YEARLY':
        return [dayNumber(year + steps, 1, 1), dayNumber(year + steps + 1, 1, 1)]
    }
  }

  /** All days of a period that the rule names, before BYSETPOS, in order. Includes days before the first occurrence. */
  days(period: number): DayNumber[] {
    const [from, to] = this.bounds(period)
    const days: DayNumber[] = []
    for (let day = from; day < to; day++) if (this.matches(day)) days.push(day)
    return days
  }

  /** The days of a period on which the rule has an occurrence. Includes days before the first occurrence. */
  named(period: number): DayNumber[] {
    return atPositions(this.rule, this.days(period))
  }

  /** How many days, weeks, months or years lie between the first occurrence and a day. */
  private distance(day: DayNumber): number {
    const at = new Date(day * DAY_MS)
    const years = at.getUTCFullYear() - this.first.getUTCFullYear()
    switch (this.rule.freq) {
      case 'DAILY':
        return day - this.start
      case 'WEEKLY':
        return this.weekOf(day) - this.weekOf(this.start)
      case 'MONTHLY':
        return years * 12 + at.getUTCMonth() - this.first.getUTCMonth()
      case 'YEARLY':
        return years
    }
  }

  private get weekOffset(): number {
    return this.rule.weekStart - EPOCH_WEEKDAY
  }

  private weekOf(day: DayNumber): number {
    return Math.floor((day - this.weekOffset) / 7)
  }
}

/** The days or times of a period that BYSETPOS selects, in order; all of them when the rule has no BYSETPOS. */
export function atPositions<T>({ bySetPos }: Rule, all: T[]): T[] {
  if (!bySetPos) return all
  const wanted = new Set(bySetPos.map((position) => (position > 0 ? position - 1 : all.length + position)))
  return all.filter((_, n) => wanted.has(n))
}

/** Each part of a rule excludes days. A part that the rule does not have is taken from the day of the first occurrence. */
function matcher(rule: Rule, first: Date): (day: DayNumber) => boolean {
  const { freq, byDay, byYearDay } = rule
  const named = byDay || byYearDay || rule.byMonthDay
  const months = rule.byMonth ?? (freq === 'YEARLY' && !named ? [first.getUTCMonth() + 1] : undefined)
  const ofMonth = (freq === 'MONTHLY' || freq === 'YEARLY') && !named
  const monthDays = rule.byMonthDay ?? (ofMonth ? [first.getUTCDate()] : undefined)
  const weekday = { weekday: weekdayOf(first.getTime() / DAY_MS), ordinal: 0 }
  const ordinals = ordinalsOf(byDay ?? (freq === 'WEEKLY' ? [weekday] : undefined))
  const inMonths = months && new Set(months)
  const onMonthDays = monthDays && new Set(monthDays)
  const onYearDays = byYearDay && new Set(byYearDay)
  const ofYear = freq === 'YEARLY' && !rule.byMonth
  // Callers ask for days in order, so that each month and year is computed once.
  let month = monthOf(0)
  return (day) => {
    const wanted = ordinals?.[weekdayOf(day)]
    if (ordinals && !wanted) return false
    if (day < month.from || day >= month.to) month = monthOf(day)
    if (inMonths && !inMonths.has(month.month)) return false
    if (onMonthDays && !isAmong(onMonthDays, day, month.from, month.to)) return false
    if (onYearDays && !isAmong(onYearDays, day, month.yearFrom, month.yearTo)) return false
    if (!wanted || wanted.has(0)) return true
    const [from, to] = ofYear ? [month.yearFrom, month.yearTo] : [month.from, month.to]
    return wanted.has(Math.ceil((day - from + 1) / 7)) || wanted.has(Math.floor((day - to) / 7))
  }
}

/** The ordinals of each weekday; undefined for a weekday that BYDAY does not name. */
const ordinalsOf = (byDay: Rule['byDay']): (Set<number> | undefined)[] | undefined =>
  byDay &&
  WEEKDAYS.map((_, weekday) => {
    const ordinals = byDay.filter((one) => one.weekday === weekday).map(({ ordinal }) => ordinal)
    return ordinals.length > 0 ? new Set(ordinals) : undefined
  })

/** The month and the year of a day: their first days, and the days after their last ones. */
function monthOf(day: DayNumber) {
  const at = new Date(day * DAY_MS)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth() + 1]
  return {
    month,
    from: dayNumber(year, month, 1),
    to: dayNumber(year, month + 1, 1),
    yearFrom: dayNumber(year, 1, 1),
    yearTo: dayNumber(year + 1, 1, 1),
  }
}

/** Whether `days` has the day's number in the month or year, counted from the beginning or, if negative, from the end. */
const isAmong = (days: Set<number>, day: DayNumber, from: DayNumber, to: DayNumber): boolean =>
  days.has(day - from + 1) || days.has(day - to)
