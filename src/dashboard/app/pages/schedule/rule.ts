/** Recurrence rules (RFC 5545, 3.3.10) as simple choices, and how they move with their series. */
import { DAY, dayOf, dayText, wallOf, weekdayOf } from './clock.ts'

export const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

export type Choice = 'none' | 'daily' | 'weekly' | 'biweekly' | 'monthly' | 'yearly' | 'custom'

export interface Simple {
  choice: Choice
  /** Of `weekly` and `biweekly`: 0 is Monday. The day of the start is always one of them. */
  weekdays: number[]
  /** The last day: `2027-03-22`; empty: the rule has no end. */
  until: string
  /** Of `custom`. */
  rule: string
}

const partsOf = (rule: string): Map<string, string> =>
  new Map(
    rule
      .toUpperCase()
      .replace(/^RRULE:/, '')
      .split(';')
      .map((part) => part.split('=') as [string, string]),
  )

const textOf = (parts: Map<string, string>): string =>
  [...parts].map(([name, value]) => `${name}=${value}`).join(';')

const CHOICES: Partial<Record<string, Choice>> = {
  DAILY: 'daily',
  WEEKLY: 'weekly',
  MONTHLY: 'monthly',
  YEARLY: 'yearly',
}

/** The choice that says the same as the rule; `custom` when none does. @param zone of the series, in which the last day ends */
export function simpleOf(rule: string | null, zone: string): Simple {
  const simple = { choice: 'none' as Choice, weekdays: [] as number[], until: '', rule: rule ?? '' }
  if (rule === null) return simple
  const { FREQ, INTERVAL, BYDAY, UNTIL, WKST, ...others } = Object.fromEntries(partsOf(rule))
  const weekdays = (BYDAY?.split(',') ?? []).map((day) => WEEKDAYS.indexOf(day as 'MO'))
  const isWeekly = FREQ === 'WEEKLY'
  const choice = isWeekly && INTERVAL === '2' ? 'biweekly' : CHOICES[FREQ ?? '']
  const fits =
    choice !== undefined &&
    Object.keys(others).length === 0 &&
    (INTERVAL === undefined || choice === 'biweekly') &&
    (WKST === undefined || WKST === 'MO') &&
    !weekdays.includes(-1) &&
    (weekdays.length === 0 || isWeekly)
  if (!fits) return { ...simple, choice: 'custom' }
  const until = UNTIL ? dayText(dayOf(wallOf(momentOfUntil(UNTIL), zone))) : ''
  return { ...simple, choice, weekdays, until }
}

const RULES: Record<Exclude<Choice, 'none' | 'custom'>, string> = {
  daily: 'FREQ=DAILY',
  weekly: 'FREQ=WEEKLY',
  biweekly: 'FREQ=WEEKLY;INTERVAL=2',
  monthly: 'FREQ=MONTHLY',
  yearly: 'FREQ=YEARLY',
}

/** @param day of the series' start */
export function ruleOf({ choice, weekdays, until, rule }: Simple, day: number): string | null {
  if (choice === 'none') return null
  if (choice === 'custom') return rule.trim()
  const own = weekdayOf(day)
  const days = [...new Set([...weekdays, own])].sort().map((one) => WEEKDAYS[one])
  const byDay = choice === 'weekly' || choice === 'biweekly' ? `;BYDAY=${days.join(',')}` : ''
  return `${RULES[choice]}${byDay}${until ? `;UNTIL=${until.replaceAll('-', '')}` : ''}`
}

/**
 * The rule of a series that moves by `days` and in all by `ms`, to a start on `day`. Undefined when the rule names days that do not
 * move alike, such as the first Monday of a month: then only its owner knows what is meant.
 */
export function movedRule(rule: string, move: { days: number; ms: number; day: number }): string | undefined {
  const parts = partsOf(rule)
  const until = parts.get('UNTIL')
  if (until) parts.set('UNTIL', movedUntil(until, move.ms))
  if (move.days === 0) return textOf(parts)
  const named = [...parts.keys()].filter((name) => name.startsWith('BY'))
  if (named.length === 0) return textOf(parts)
  if (named.length > 1) return undefined
  const value = parts.get(named[0]!)!
  if (named[0] === 'BYDAY' && parts.get('FREQ') === 'WEEKLY') {
    const days = value.split(',').map((name) => WEEKDAYS.indexOf(name as 'MO'))
    if (days.length > 1 && parts.has('INTERVAL')) return undefined
    const moved = days.map((one) => WEEKDAYS[(((one + move.days) % 7) + 7) % 7])
    parts.set('BYDAY', moved.join(','))
    return textOf(parts)
  }
  if (named[0] === 'BYMONTHDAY' && parts.get('FREQ') === 'MONTHLY' && /^\d+$/.test(value)) {
    parts.set('BYMONTHDAY', String(new Date(move.day * DAY).getUTCDate()))
    return textOf(parts)
  }
  return undefined
}

const movedUntil = (until: string, ms: number): string =>
  new Date(momentOfUntil(until) + ms).toISOString().replace(/[-:]|\.\d+/g, '')

function momentOfUntil(until: string): number {
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z)?$/.exec(until)!.map(Number)
  return Date.UTC(y!, m! - 1, d!, h || 0, min || 0, s || 0)
}
