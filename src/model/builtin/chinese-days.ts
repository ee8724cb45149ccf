import { NUMBER, numberOf } from './chinese-numbers.ts'
import { isDate } from './dates.ts'

type Day = Temporal.PlainDate

const RELATIVE: Record<string, number> = { 大前: -3, 前: -2, 昨: -1, 今: 0, 明: 1, 后: 2, 大后: 3 }
const STEPS: Record<string, number> = { 上上: -2, 上: -1, 去: -1, 本: 0, 这: 0, 今: 0, 下: 1, 明: 1, 下下: 2 }
const UNITS: Record<string, 'days' | 'weeks' | 'months' | 'years'> = {
  天: 'days',
  日: 'days',
  周: 'weeks',
  星期: 'weeks',
  礼拜: 'weeks',
  月: 'months',
  年: 'years',
}
const UP_TO = '([到至~-]\\s*)?'
// 日程 and 天气 begin with a character that also ends the name of a day; 3号线 and 3号楼 are no days.
const WEEKDAY = new RegExp(
  `${UP_TO}(?:(上上|下下|上|下|本|这)个?)?(?:周|星期|礼拜)([一二三四五六]|日(?![程历报志常记期])|天(?!气))`,
  'g',
)
const IN_MONTH = new RegExp(
  `${UP_TO}(?:(?:(\\d{4}|去|今|明)年\\s*)?${NUMBER}月\\s*|(上|下|本|这)个?月的?\\s*)?(?<!\\d|第)${NUMBER}\\s*(?:号(?![楼线门桌房车馆院店机])(?!会议室)|日(?![程历报志常记期游]))`,
  'g',
)
const NUMERIC = /(?<![\d/.-])(?:(\d{4})[/-](\d{1,2})[/-]|(\d{1,2})\/)(\d{1,2})(?![\d/.:T点-])/g
const DISTANT = new RegExp(`${NUMBER}个?(天|日|周|星期|礼拜|月|年)(?:之|以)?([后前])`, 'g')
const CASUAL = /(大前|大后|前|(?<![以之天周月年])后|昨|今|明)([天日](?:的)?|[早晚夜])/g
// Both days of a range are read as the next such day, so the first day of a range that has begun is a year too late.
const BACKWARDS = /(\d{4}-\d{2}-\d{2})\s*([到至~-]\s*)(\d{4}-\d{2}-\d{2})/g

/** Writes Chinese days as dates, because chrono reads 下周日, 25号 or 一周后 as another day or not at all. */
export function withPlainChineseDays(text: string, today: Day): string {
  let last: Day | undefined
  let yearSaid = false
  const write = (found: string, day: Day | undefined) => {
    last = day
    return day ? `${day} ` : found
  }
  const weekday = (found: string, upTo: string, step: string, name: string) => {
    const day = '一二三四五六日'.indexOf(name.replace('天', '日')) + 1
    const from = upTo && last && !step ? last : today
    const date = from.add({ days: 7 * (STEPS[step] ?? 0) + day - from.dayOfWeek })
    const past = !step && Temporal.PlainDate.compare(date, from) < 0
    return (upTo ?? '') + write(found.slice(upTo?.length), past ? date.add({ weeks: 1 }) : date)
  }
  const inMonth = (found: string, upTo: string, year: string, month: string, step: string, day: string) => {
    const from = upTo && last && (!month || yearSaid) && !step ? last : today
    yearSaid = year !== undefined
    return (upTo ?? '') + write(found.slice(upTo?.length), dayOf(from, { year, month, step, day }))
  }
  return text
    .replace(NUMERIC, (found, year, month, alone, day) =>
      write(found, dayOf(today, { year, month: month ?? alone, day })),
    )
    .replace(DISTANT, (found, count, unit, way) =>
      write(found, today.add({ [UNITS[unit]!]: numberOf(count) * (way === '后' ? 1 : -1) })),
    )
    .replace(CASUAL, (found, name, part: string) => {
      const partOfDay = { 早: '早上', 晚: '晚上', 夜: '晚上' }[part] ?? ''
      return write(found, today.add({ days: RELATIVE[name]! })) + partOfDay
    })
    .replace(WEEKDAY, weekday)
    .replace(IN_MONTH, inMonth)
    .replace(BACKWARDS, (found, first: string, upTo: string, end: string) =>
      first > end && isDate(first)
        ? `${Temporal.PlainDate.from(first).subtract({ years: 1 })} ${upTo}${end}`
        : found,
    )
}

/** A day of a month: the next such day unless a month or year is given; undefined: the month does not have it. */
function dayOf(
  from: Day,
  { year, month, step, day }: { year: string; month: string; step?: string; day: string },
): Day | undefined {
  const first = from.with({ day: 1 }).add({ months: STEPS[step!] ?? 0 })
  const years = year && (STEPS[year] === undefined ? Number(year) - from.year : STEPS[year]!)
  const start = (month ? first.with({ month: Math.min(numberOf(month), 12) }) : first).add({
    years: Number(years ?? 0),
  })
  const pick = (at: Day) => (numberOf(day) > at.daysInMonth ? undefined : at.with({ day: numberOf(day) }))
  if (numberOf(day) < 1 || (month && (numberOf(month) < 1 || numberOf(month) > 12))) return undefined
  const date = pick(start)
  if (!date || year || step || Temporal.PlainDate.compare(date, from) >= 0) return date
  return pick(start.add(month ? { years: 1 } : { months: 1 }))
}
