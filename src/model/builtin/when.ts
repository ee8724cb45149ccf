import { en, type ParsedComponents, type ParsedResult, zh } from 'chrono-node'
import { withPlainChineseDays } from './chinese-days.ts'
import { NUMBER, numberOf } from './chinese-numbers.ts'
import { withPlainTimes } from './chinese-times.ts'
import { withPlainEnglishDays } from './english-days.ts'
import type { Place } from './intent.ts'

/** A request and the times that were found in it. */
export interface Timed {
  /** The request with days and times in digits. Positions in `found` refer to this text. */
  text: string
  found: ParsedResult[]
}

const onClock = ({ now, timezone }: Place) =>
  Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timezone)

/** Finds the times in a request. Chrono uses the local time of the process, so the user's local time is passed as that. */
export function findTimes(request: string, place: Place): Timed {
  const { year, month, day, hour, minute } = onClock(place)
  const today = new Temporal.PlainDate(year, month, day)
  const chinese = /\p{Script=Han}/u.test(request)
  const text = chinese
    ? withPlainTimes(withPlainChineseDays(request, today), today)
    : withPlainEnglishDays(request, today)
  const clock = new Date(year, month - 1, day, hour, minute)
  return { text, found: (chinese ? zh.hans : en).parse(text, clock, { forwardDate: true }) }
}

const UNREAD = [
  /[上下本这]个?(?:周|星期|礼拜|月)|周[一二三四五六日天末]|星期|礼拜|[\d一二三四五六七八九十]\s*(?:日|号(?![楼线门桌房车馆院店机])(?!会议室)|分钟?后|个?小时后)/,
  /[\d一二三四五六七八九十]月|月[底初中末]|年[底初]|[天周年]后|[今明后昨][天晚早]/,
  /\b(?:\d{1,2}(?:st|nd|rd|th)|\d{1,2}(?::\d\d| ?[ap]m)|(?:next|last|this|following) (?:week|month|year)|weekends?|day (?:after|before)|quarter (?:past|to)|half past|midnight|noon|o'clock|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|morning|afternoon|evening|tonight|tomorrow)\b/,
].map((pattern) => new RegExp(pattern, 'i'))
// Times that were understood are in digits by now.
const UNREAD_CLOCK =
  /凌晨|[早晚]上|[上中下]午|傍晚|[半午]夜|[\d一二两三四五六七八九十]\s*(?:点|时(?!间|候))|[半几]个?(?:[天日周月年]|星期|礼拜)|几个?(?:小时|分钟)/
const EITHER_HALF = /(?<![\d:])[1-5](?::\d\d)?(?!\d| ?(?:hours?|min))/i
const FEAST =
  /春节|除夕|元旦|国庆|中秋|端午|清明|圣诞|元宵|五一|\b(?:christmas|easter|thanksgiving|new year|halloween)\b/i
const DURATION =
  /(?:\d+|[一二两三四五六七八九十半几])个?半?(?:小时|分钟|钟头)|\bfor (?:\S+ )?(?:\d+|an?|half an|one|two|three|four|five|six) ?-?(?:hours?|hrs?|minutes?|mins?|days?|weeks?)\b|(?<!\w)\d+ ?(?:h|hours?|hrs?|minutes?|mins?)\b/i
const OTHER_ZONE =
  /时区|(?:北京|东京|伦敦|纽约|巴黎|当地|美国|欧洲)时间|\b(?:UTC|GMT|time ?zone|[A-Z][a-z]+ time)\b/
// Chrono gives “in 10 minutes” an offset, too.
const isElsewhere = ({ start, text }: ParsedResult) =>
  start.isCertain('timezoneOffset') && !/^(?:in|within|after)\b|后|\blater\b|from now/i.test(text)

/** A day in digits that chrono did not read, because it does not exist. */
const NO_DAY = /\d{1,4}[/-]\d{1,2}[/-]\d{1,4}|\d{1,2}\.\d{1,2}\.\d{2,4}/
/** Day and month in digits, whose order differs between countries. */
const EITHER_ORDER = /(?<![\d/.-])(\d{1,2})[/.-](\d{1,2})(?:[/.-]\d{2,4})?(?![\d/.:-])/

function isEitherOrder(text: string): boolean {
  const [, first, second] = EITHER_ORDER.exec(text) ?? []
  return first !== undefined && first !== second && Number(first) < 13 && Number(second) < 13
}

/** Whether the request says more about the time than was found, so that the found time may be wrong. */
export function isUnclear({ text, found: [time, ...more] }: Timed): boolean {
  if (!time || more.length > 0) return true
  const rest = text.slice(0, time.index) + text.slice(time.index + time.text.length)
  if (UNREAD.some((pattern) => pattern.test(rest)) || UNREAD_CLOCK.test(text)) return true
  if (!saysDay(time) && FEAST.test(rest)) return true
  if (NO_DAY.test(rest) || (!/\p{Script=Han}/u.test(text) && saysDay(time) && isEitherOrder(time.text)))
    return true
  if (DURATION.test(rest) || isElsewhere(time) || OTHER_ZONE.test(rest)) return true
  const hour = time.start.get('hour')!
  const early = hour > 0 && hour < 6 && !time.start.isCertain('meridiem')
  if (
    early &&
    !/\p{Script=Han}/u.test(text) &&
    EITHER_HALF.test(time.text) &&
    !/\b0\d:|morning/i.test(time.text)
  )
    return true
  if (!time.end) return false
  return !time.end.isCertain('hour') || wallClock(time.end) <= wallClock(time.start)
}

const PART_OF_DAY = /^\s*(?:凌晨|早上|上午|中午|下午|晚上|夜晚?)\s*$/
const PERIOD =
  /(上上|上|本|这|下下|下)个?(周末|周|星期|礼拜|月)|(周末)|\b(?:(last|past|previous|this|next) )?(weekend)\b|\b(last|past|previous|this|next) (week|month)\b/i
const STEPS: Record<string, number> = {
  上上: -2,
  上: -1,
  下: 1,
  下下: 2,
  last: -1,
  past: -1,
  previous: -1,
  next: 1,
}
const AHEAD = new RegExp(
  `(?:未来|接下来|今后)的?${NUMBER}个?(天|日|周|星期|礼拜)|${NUMBER}个?(天|日|周|星期|礼拜)(?:之|以)?内|\\b(?:next|coming|following|within) (\\d{1,2}) (day|week)s\\b`,
  'i',
)

const BEHIND = new RegExp(
  `(?:过去|最近|近)的?${NUMBER}个?(天|日|周|星期|礼拜)|\\b(?:last|past|previous) (\\d{1,2}) (day|week)s\\b`,
  'i',
)

/** The days of a request in the user's calendar, as `list_schedule` takes them: `to` is the last day. */
export function rangeOf({ text, found }: Timed, place: Place) {
  const today = onClock(place).toPlainDate()
  const days = (from: Temporal.PlainDate, count: number) => ({
    from: from.toString(),
    to: from.add({ days: count - 1 }).toString(),
  })
  const ahead = AHEAD.exec(text)
  const near = ahead ?? BEHIND.exec(text)
  if (near) {
    const [said, unit] = near.slice(1).filter(Boolean) as [string, string]
    const count = numberOf(said) * (/天|日|day/i.test(unit) ? 1 : 7)
    return days(ahead ? today : today.subtract({ days: count - 1 }), count)
  }
  const period = PERIOD.exec(text)
  if (period && !/\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/i.test(text)) {
    const step = STEPS[(period[1] ?? period[4] ?? period[6] ?? '').toLowerCase()] ?? 0
    const unit = (period[2] ?? period[3] ?? period[5] ?? period[7])!.toLowerCase()
    const monday = today.subtract({ days: today.dayOfWeek - 1 }).add({ weeks: step })
    if (/月|month/.test(unit)) {
      const first = today.with({ day: 1 }).add({ months: step })
      return days(first, first.daysInMonth)
    }
    return /周末|weekend/.test(unit) ? days(monday.add({ days: 5 }), 2) : days(monday, 7)
  }
  const [time] = found
  if (!time) return days(today, 7)
  if (!saysDay(time) && time.start.isCertain('month')) {
    const month = dayOf(time.start).with({ day: 1 })
    // `forwardDate` makes chrono read the current month as that of the next year.
    const isThis = month.month === today.month && !time.start.isCertain('year')
    const first = isThis ? today.with({ day: 1 }) : month
    return days(first, first.daysInMonth)
  }
  // Chrono reads a part of a day alone as today.
  const said = found.filter((it) => saysDay(it) && !PART_OF_DAY.test(it.text))
  const all = (said.length > 0 ? said : [time]).flatMap(({ start, end }) => [start, end ?? start]).map(dayOf)
  all.sort(Temporal.PlainDate.compare)
  return { from: all[0]!.toString(), to: all.at(-1)!.toString() }
}

/** Whether a request names days, and not only a year or an hour. */
export const saysDays = ({ text, found }: Timed): boolean =>
  AHEAD.test(text) ||
  BEHIND.test(text) ||
  PERIOD.test(text) ||
  found.some((time) => saysDay(time) || time.start.isCertain('month') || PART_OF_DAY.test(time.text))

/** The request without its days and times, in two readings, because chrono finds 周日 in 本周日程. */
export function withoutDays({ text, found }: Timed): string[] {
  const rest = found.reduceRight(
    (left, { index, text: { length } }) => `${left.slice(0, index)} ${left.slice(index + length)}`,
    text,
  )
  return [rest, text].map((reading) => reading.replace(AHEAD, ' ').replace(BEHIND, ' ').replace(PERIOD, ' '))
}

const saysDay = ({ start }: ParsedResult) => start.isCertain('day') || start.isCertain('weekday')

/** A local time without an offset; the receiver reads it in the user's time zone. */
export function wallClock(at: ParsedComponents): string {
  const two = (part: 'month' | 'day' | 'hour' | 'minute') => String(at.get(part) ?? 0).padStart(2, '0')
  return `${at.get('year')}-${two('month')}-${two('day')}T${two('hour')}:${two('minute')}:00`
}

const dayOf = (at: ParsedComponents) => Temporal.PlainDate.from(wallClock(at).slice(0, 10))
