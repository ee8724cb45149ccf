import { call, type Intent, type Place } from './intent.ts'
import { CLAUSE, moodOf } from './mood.ts'
import { titleOf } from './title.ts'
import { findTimes, isUnclear, rangeOf, type Timed, wallClock } from './when.ts'

const NOUN =
  /日程|行程|日历|约会|会议|预约|提醒|\b(?:schedules?|calendar|agenda|appointments?|meetings?|events?|remind(?:ers?)?)\b/i
const AGENDA = new RegExp(`${NOUN.source}|安排`, 'i')
const ADD =
  /添加|新增|新建|创建|安排一[个下场次]|加[一个上到]|记一?下|预约(?!的|了|吗|\s*$)|提醒我|\b(?:add|create|book|put|set up|remind me)\b/i
const DELETE = /(?:取消|删除|删掉|去掉)(?![了过]|的)|\b(?:cancel|delete|remove)\b/i
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i
// Both name the schedule itself as well: an order has them at its beginning, and a time and a matter.
const ARRANGE = /(?<!的|什么|有|哪些|啥)安排(?=\s*[^\s的吗呢了吧?。!])/
const PLAN = new RegExp(`${CLAUSE}(?:schedule|plan)\\s+(?!for\\b|of\\b|on\\b|at\\b|in\\b)\\S`, 'i')

/** Where a request speaks of the schedule; -1: nowhere. */
export const placeOfAgenda = (request: string): number => request.search(NOUN)

export const speaksOfAgenda = (request: string): boolean => AGENDA.test(request)

/** Whether a request is, in its words, one to put something on the schedule. */
export function isAddition(request: string, timed: Timed): boolean {
  const [time] = timed.found
  const hasHour = time?.start.isCertain('hour') ?? false
  if (ADD.test(request)) return AGENDA.test(request) || time !== undefined
  if (ARRANGE.test(request)) return hasHour
  return PLAN.test(time ? timed.text.replace(time.text, ' ').trim() : request)
}

export function agenda(request: string, named: string | undefined, place: Place): Intent {
  const mood = moodOf(request)
  // To be reminded of deleting something deletes nothing.
  const deletes = DELETE.test(request) && !/提醒我|\bremind me\b/i.test(request)
  const repeat = repeatOf(request)
  const timed = findTimes(repeat?.request ?? request, place)
  if (deletes || isAddition(request, timed)) {
    if (mood === 'negated') return { kind: 'declined' }
    if (mood === 'how') return { kind: 'question' }
    if (mood === 'told') {
      if (deletes) return remove(request)
      return REPEATS.test(repeat?.request ?? request)
        ? { kind: 'unclear_repeat' }
        : add(timed, named, repeat?.rule, place)
    }
  }
  const { timezone } = place
  return call('list_schedule', { ...rangeOf(timed, place), timezone })
}

function remove(request: string): Intent {
  const id = UUID.exec(request)?.[0]
  return id ? call('delete_schedule_item', { item_id: id }) : { kind: 'which_item' }
}

function add(timed: Timed, named: string | undefined, rule: string | undefined, place: Place): Intent {
  const [time] = timed.found
  if (!time?.start.isCertain('hour')) return { kind: 'which_time' }
  if (isUnclear(timed)) return { kind: 'unclear_time' }
  return call('add_schedule_item', {
    title: named ?? titleOf(timed.text, time),
    start_at: wallClock(time.start),
    ...(time.end && { end_at: wallClock(time.end) }),
    ...(rule && { rrule: rule }),
    timezone: place.timezone,
  })
}

const REPEATS =
  /[每隔](?:[一二两三四五六七八九十\d])?个?(?:[天日周月年]|星期|礼拜|工作日)|\b(?:every|each|daily|weekly|monthly|yearly|weekdays|(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b/i
const EACH_WEEK =
  /每个?(?=(?:周|星期|礼拜)[一二三四五六日天](?!\s*[、和及与到至,~-]|[一二三四五六日]))|\b(?:every|each) (?=(?:mon|tues|wednes|thurs|fri|satur|sun)day\b(?! ?(?:,|and|or|to|through|-)))/i
const EACH_DAY = /每[天日]|\b(?:every|each) day\b/i

/** The rules that a few words make; of all others `REPEATS` finds what is left. */
function repeatOf(request: string): { request: string; rule: string } | undefined {
  if (EACH_WEEK.test(request)) return { request: request.replace(EACH_WEEK, ''), rule: 'FREQ=WEEKLY' }
  if (EACH_DAY.test(request)) return { request: request.replace(EACH_DAY, ' '), rule: 'FREQ=DAILY' }
  return undefined
}
