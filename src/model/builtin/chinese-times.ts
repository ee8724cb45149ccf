import { NUMBER, numberOf } from './chinese-numbers.ts'
import { isDate } from './dates.ts'

const ISO = '(?:(\\d{4}-\\d{2}-\\d{2})[\\s,的]*)?'
const PART = '(凌晨|清晨|早上|早晨|上午|中午|下午|午后|傍晚|晚上|夜里|夜晚|深夜|半夜|午夜)?的?\\s*'
const CLOCK = `(?:${NUMBER}\\s*(?:点钟?|时(?![间候段]))\\s*(?:(整|半|[一二三1-3]刻)|过?${NUMBER}(?:分|(?![\\d点号日月个年天人])))?|(\\d{1,2}):(\\d{2})|(\\d{1,2})(?=\\s*[ap]m))(?!\\d)\\s*([ap]m)?`
const MOMENT = `${PART}${CLOCK}`
const TIMES = new RegExp(
  `${ISO}(?<!\\d|[早晚快慢有](?=一点))${MOMENT}(?:\\s*[到至~-]\\s*${ISO}${MOMENT})?`,
  'gi',
)
const HALF_HOURS = new RegExp(`${NUMBER}个半(?:小时|钟头)[之以]?后`, 'g')
// In 3到5点 and 3-5点 the first number is a time, too.
const SHORT_RANGE = new RegExp(
  `(?<![\\d零一二三四五六七八九十-])${NUMBER}\\s*([到至~-])\\s*(?=${NUMBER}\\s*点)`,
  'g',
)

/** Writes Chinese times of day in the 24-hour clock. Invalid or ambiguous ones, like 上午15点 or 3点, stay unchanged. */
export function withPlainTimes(text: string, today: Temporal.PlainDate): string {
  return text
    .replace(HALF_HOURS, (_, hours) => `${numberOf(hours) * 60 + 30}分钟后`)
    .replace(SHORT_RANGE, '$1点$2')
    .replace(TIMES, (found, ...parts) => {
      const start = minutesOf(parts.slice(1, 9))
      if (start === undefined) return found
      const [day, endDay] = [parts[0], parts[9]] as (string | undefined)[]
      if (![day, endDay].every((date) => date === undefined || isDate(date))) return found
      const at = (date: string | undefined, minutes: number) =>
        date || minutes >= 1440 ? onDay(date ?? today.toString(), minutes) : clock(minutes)
      const isRange = parts.slice(10, 18).some((part) => part !== undefined)
      if (!isRange) return ` ${at(day, start)} `
      const end = minutesOf(parts.slice(10, 18), endDay ? -1 : start)
      if (end === undefined) return found
      const date = day ?? (end >= 1440 ? today.toString() : undefined)
      return ` ${at(date, start)}到${at(endDay ?? date, end)} `
    })
}

const clock = (minutes: number) => Temporal.PlainTime.from('00:00').add({ minutes }).toString().slice(0, 5)
const onDay = (date: string, minutes: number) =>
  `${Temporal.PlainDate.from(date).add({ days: Math.floor(minutes / 1440) })}T${clock(minutes)}`

/**
 * Minutes since the day began; 24:00 and later times belong to the next day. Without a word for the part of the day, the
 * first such time after `after`; undefined: invalid or ambiguous.
 */
function minutesOf(parts: (string | undefined)[], after?: number): number | undefined {
  const [part, words, quarter, spoken, hours, digits, bare, suffix] = parts
  const hour = numberOf((words ?? hours ?? bare)!)
  const fraction = quarter && (quarter === '整' ? 0 : quarter === '半' ? 30 : 15 * numberOf(quarter[0]!))
  const minute = Number(fraction ?? (spoken ? numberOf(spoken) : (digits ?? 0)))
  if (hour > 24 || minute > 59 || (hour === 24 && minute > 0)) return undefined
  const half = part ?? suffix?.toLowerCase()
  if (half) {
    const exact = hourIn(half, hour)
    return exact === undefined ? undefined : exact * 60 + minute
  }
  // 3 o'clock is ambiguous; 03:00 is not.
  if (after === undefined && /^[1-5一二两三四五]$/.test((words ?? hours ?? bare)!)) return undefined
  const candidates = hour < 13 && after !== undefined && after >= 0 ? [hour, hour + 12, hour + 24] : [hour]
  const fit = candidates.find((at) => after === undefined || at * 60 + minute > after)
  return fit === undefined ? undefined : fit * 60 + minute
}

function hourIn(part: string, hour: number): number | undefined {
  if (/^[夜深半午]/.test(part) && part !== '午后') return hour === 12 ? 24 : hour > 17 ? hour : undefined
  if (/^(?:凌|am)/.test(part)) return hour === 12 ? 0 : hour < 12 ? hour : undefined
  if (/^[清早上]/.test(part)) return hour < 12 ? hour : undefined
  if (/^中/.test(part)) return hour > 10 && hour < 15 ? hour : hour < 3 ? hour + 12 : undefined
  if (/^晚/.test(part))
    return hour === 12 ? 24 : hour > 4 && hour < 12 ? hour + 12 : hour > 16 ? hour : undefined
  return hour === 12 ? 12 : hour > 0 && hour < 12 ? hour + 12 : hour > 12 && hour < 24 ? hour : undefined
}
