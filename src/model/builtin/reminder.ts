import { NUMBER, numberOf } from './chinese-numbers.ts'

const UNITS: Record<string, number> = {
  分钟: 1,
  分: 1,
  刻钟: 15,
  小时: 60,
  钟头: 60,
  天: 1440,
  周: 10_080,
  星期: 10_080,
}
const COUNTS: Record<string, number> = {
  a: 1,
  an: 1,
  'half an': 0.5,
  one: 1,
  two: 2,
  three: 3,
  five: 5,
  ten: 10,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
}
const COUNT = `(\\d{1,4}|${Object.keys(COUNTS).toSorted().toReversed().join('|')})[ -]?(minute|min|hour|hr|day|week)s?`

const CHINESE = new RegExp(
  `[,，、;；。\\s]{0,3}(?:并且?|同时|然后|请|记得|要|也){0,3}提[前早](?:${NUMBER}|(半))个?(分钟?|刻钟|小时|钟头|天|周|星期)(半)?再?(?:提醒|通知|叫)(?!我(?:们|[和跟与][^\\s,，。]{1,3}$))(?:一下)?我?(?:一下)?`,
)
// “10 minutes before the meeting” is about a meeting that exists already.
const ENGLISH = [
  `[,;.]?\\s{0,3}(?:and |then |please |also ){0,3}(?:remind|notify|alert) me ${COUNT} (?:before(?:hand)?|earlier|ahead(?: of time)?|in advance|prior)(?!\\w| (?:of|to|the|my|a|an|it starts)\\b| \\w+ing\\b)`,
  `[,;.]?\\s{0,3}(?:and )?with an? (?:reminder ${COUNT} (?:before(?:hand)?|earlier|in advance)|${COUNT} reminder)`,
].map((pattern) => new RegExp(pattern, 'i'))

/** “… and remind me” at the end of a request. */
const AT_THE_END =
  /[,，。;；\s]{0,3}(?:并|请|记得|到时候?|届时|准时){1,3}提醒我(?:一下)?[\s。.!！]{0,3}$|[,;]?\s(?:and |then |please ){1,3}remind me[\s.!]{0,3}$/i
const ASKED = /提醒|闹钟|\bremind(?:er)?\b|\balarm\b|\b(?:notify|alert) me\b/i
const UNREAD =
  /提[前早](?:[\d一二两三四五六七八九十半几]|一?点|些|[^,，。]{0,8}(?:提醒|通知))|(?<!提)前\S{0,2}提醒|提醒我(?:们|[和跟与][^\s,，。]{1,3}$)|[不无]\S{0,2}提醒|\b(?:before(?:hand)?|in advance|ahead|earlier|prior|(?:minute|hour) reminder|(?:no|without|any) (?:an? |any )?reminders?|remind me (?:and|or) (?!to\b)\w+|by (?:e-?mail|sms|text|phone))\b/i

export interface Reminder {
  /** The request without the words about when to remind. */
  request: string
  /** Minutes before the item; 0: at its start. Undefined: the request asks for no reminder. */
  minutes: number | undefined
  /** The request says more about the reminder than the agent understands. */
  isUnclear: boolean
  /** The request says how long before the item. */
  isAhead: boolean
}

/** Reads the reminder that a request asks for. */
export function reminderOf(request: string): Reminder {
  const chinese = CHINESE.exec(request)
  const english = ENGLISH.map((pattern) => pattern.exec(request)).find(Boolean)
  const found = chinese ?? english
  if (!found) {
    const minutes = ASKED.test(request) ? 0 : undefined
    const isUnclear = minutes === 0 && UNREAD.test(request)
    return { request: request.replace(AT_THE_END, ''), minutes, isUnclear, isAhead: false }
  }
  const rest = `${request.slice(0, found.index)} ${request.slice(found.index + found[0].length)}`
  const minutes = chinese ? inChinese(chinese) : inEnglish(english!)
  return { request: rest, minutes, isUnclear: UNREAD.test(rest), isAhead: true }
}

function inChinese([, count, half, unit, more]: RegExpExecArray): number {
  const minutes = UNITS[unit!]!
  return Math.round((half ? 0.5 : numberOf(count!) + (more ? 0.5 : 0)) * minutes)
}

function inEnglish(found: RegExpExecArray): number {
  const [count, unit] = found.slice(1).filter((group) => group !== undefined)
  const minutes = { m: 1, h: 60, d: 1440, w: 10_080 }[unit![0]!.toLowerCase()]!
  return Math.round((COUNTS[count!.toLowerCase()] ?? Number(count)) * minutes)
}
