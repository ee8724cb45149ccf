/** Numbers and times in the language of the page. */
import { computed } from '@preact/signals'
import { language, texts } from './language.ts'

const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en-GB'))

const cached = <F>(make: (locale: string) => F) => {
  const all = new Map<string, F>()
  return (): F => {
    let format = all.get(locale.value)
    if (!format) {
      format = make(locale.value)
      all.set(locale.value, format)
    }
    return format
  }
}

const dateTimes = cached((name) => new Intl.DateTimeFormat(name, { dateStyle: 'medium', timeStyle: 'short' }))
const dates = cached((name) => new Intl.DateTimeFormat(name, { dateStyle: 'medium' }))
const times = cached((name) => new Intl.DateTimeFormat(name, { hour: '2-digit', minute: '2-digit' }))
const clocks = cached((name) => new Intl.DateTimeFormat(name, { timeStyle: 'medium' }))
const weekdays = cached((name) => new Intl.DateTimeFormat(name, { weekday: 'short' }))
const days = cached((name) => new Intl.DateTimeFormat(name, { day: 'numeric', month: 'short' }))
const longDates = cached((name) => new Intl.DateTimeFormat(name, { dateStyle: 'full' }))
const numbers = cached((name) => new Intl.NumberFormat(name))
const amounts = cached(
  (name) => new Intl.NumberFormat(name, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
)
const relatives = cached((name) => new Intl.RelativeTimeFormat(name, { numeric: 'auto', style: 'short' }))

type When = string | number | Date
export const dateTime = (when: When): string => dateTimes().format(new Date(when))
export const date = (when: When): string => dates().format(new Date(when))
/** “Mon”. */
export const weekday = (when: When): string => weekdays().format(new Date(when))
/** “22 Mar”. */
export const day = (when: When): string => days().format(new Date(when))
/** “Monday, 22 March 2027”. */
export const longDate = (when: When): string => longDates().format(new Date(when))
export const dateRange = (from: When, to: When): string => dates().formatRange(new Date(from), new Date(to))
/** Hours and minutes. */
export const time = (when: When): string => times().format(new Date(when))
/** Hours, minutes and seconds. */
export const clock = (when: When): string => clocks().format(new Date(when))
export const count = (value: number): string => numbers().format(value)
/** An amount of money with two decimals. */
export const money = (value: number): string => `¥${amounts().format(value)}`

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** “5 min. ago”. Older than a month: the date. */
export function ago(when: When, now = Date.now()): string {
  const seconds = (new Date(when).getTime() - now) / 1000
  if (Math.abs(seconds) > 30 * 86_400) return date(when)
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  return relatives().format(Math.round(seconds / size), unit)
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** A size in steps of 1,024. */
export function bytes(size: number): string {
  let [value, unit] = [size, 0]
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

const t = texts({
  en: {
    hours: (h: number, m: number) => `${h} h ${m} min`,
    minutes: (m: number, s: number) => `${m} min ${s} s`,
    seconds: (s: number) => `${s} s`,
  },
  zh: {
    hours: (h: number, m: number) => `${h} 小时 ${m} 分`,
    minutes: (m: number, s: number) => `${m} 分 ${s} 秒`,
    seconds: (s: number) => `${s} 秒`,
  },
})

/** @param seconds may have a fraction */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole >= 3600) return t.hours(Math.floor(whole / 3600), Math.floor((whole % 3600) / 60))
  if (whole >= 60) return t.minutes(Math.floor(whole / 60), whole % 60)
  return t.seconds(whole)
}

export const percent = (value: number): string => `${Math.round(value)} %`

const months = cached(
  (name) => new Intl.DateTimeFormat(name, { year: 'numeric', month: 'long', timeZone: 'UTC' }),
)
/** “March 2026”. @param month 1 to 12 */
export const monthOf = (year: number, month: number): string => months().format(Date.UTC(year, month - 1))
