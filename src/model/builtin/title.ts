import type { ParsedResult } from 'chrono-node'
import { cutText } from '../../util/cut.ts'

/** Words of the order around a title, not of the title itself. They stand before or after it, never in it. */
const BEFORE = [
  /请|麻烦|帮我|给我|我要|我想|我需要|别忘了|不要忘了|记得|提醒我?|去?(?:添加|新增|新建|创建|预约|安排|设[置定]?|加|记)(?:[一1]?[个下场项条次])?|(?:[到进在]|到?我的)?(?:日程|日历)[里中上]?|[一1][个场项条次]|把|在|的/,
  /(?:please|(?:and|also|don['’]t forget to) (?=add|remind|put|book)|i(?:['’]d like| want| need) to|let['’]s|add|create|schedule|book|plan|put(?: down)?|set(?: up)?|remind me(?: to| of| about| that)?|an?|the|my|to (?!the\b)|that|calendar|agenda|appointment|event|reminder(?: (?:for|about|of))?|new)\b/,
]
const AFTER = [
  /(?:添加|加|放|记|写|安排)[到进入在]?(?:我的)?(?:日程|日历)?[里中上]?|[到进](?:我的)?(?:日程|日历)[里中上]?|在|于|从|的/,
  /\b(?:(?:to|on|in|into|onto) (?:the |my )?(?:calendar|agenda|schedule)|on|in|at|for|from|by|to|please)/,
]
const ORDER = /(?:添加|新增|新建|创建)(?:到|一个)?日程/
const EDGE = String.raw`[,，。.!！:：;；\s]`
const LEADING = new RegExp(`^(?:${EDGE}|${BEFORE.map(({ source }) => source).join('|')})+`, 'i')
const TRAILING = new RegExp(`(?:${EDGE}|${AFTER.map(({ source }) => source).join('|')})$`, 'i')

/** The title of a new appointment: the request without its time and without the words of the order. */
export function titleOf(text: string, time: ParsedResult): string {
  const before = text.slice(0, time.index).replace(/(?:\b(?:on|in|at|for|from|by|this)|[从在于])\s*$/i, '')
  const after = text.slice(time.index + time.text.length).replace(/^\s*(?:的|开始|起)/, '')
  let title = `${before.trim()} ${after.trim()}`.replace(ORDER, ' ').replace(LEADING, '')
  for (let length = -1; length !== title.length; ) {
    length = title.length
    title = title.replace(TRAILING, '')
  }
  return cutText(title.replace(/\s+/g, ' '), 255) || (/\p{Script=Han}/u.test(text) ? '日程' : 'Appointment')
}
