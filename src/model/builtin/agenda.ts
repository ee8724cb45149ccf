import { call, type Intent, type Place } from './intent.ts'
import { CLAUSE, moodOf } from './mood.ts'
import { type Reminder, reminderOf } from './reminder.ts'
import { titleOf } from './title.ts'
import { findTimes, isUnclear, rangeOf, saysDays, type Timed, wallClock, withoutDays } from './when.ts'
import { says, WORDS } from './words.ts'

const NOUN =
  /日程|行程|日历|约会|会议|预约|提醒|\b(?:schedules?|calendar|agenda|appointments?|meetings?|events?|remind(?:ers?)?)\b/i
const AGENDA = new RegExp(`${NOUN.source}|安排`, 'i')
const ADD =
  /添加|新增|新建|创建|安排一[个下场次]|加[一个上到]|记一?下|预约(?!的|了|吗|\s*$)|设(?:置|定|一?个)(?=.*(?:提醒|闹钟|日程|会议))|提醒我|\b(?:add|create|book|put(?= (?:an?|in|down)\b|.*\b(?:on|in|into|onto) (?:the |my )?(?:calendar|agenda|schedule)\b)|set up|set (?:an? |the )?(?:reminder|alarm)|remind me)\b/i
/** The request changes an existing item, which the agent has no tool for. */
const EXISTING =
  "(?:(?:the|my|our|his|her|their|this|that|these|those|an?|\\S+['’]s) )?(?:[\\w:]+ )?(?:meetings?|appointments?|events?)\\b"
const CHANGES = [
  /(?:给|为|往|在)(?!我).{0,30}(?:会议?|约会|预约|面试|活动)[里中上]?[加添增设]|加[到进入](?!\s*(?:我的)?(?:日程|日历|行程)).{0,30}(?:会议?|约会|预约|面试|活动)|(?:会议?|约会|预约|面试|活动|日程|提醒)(?:设[置定]?|改)?[为成]/,
  new RegExp(`\\b(?:add|put|set up|attach)\\b.*\\b(?:to|on|in charge of) ${EXISTING}`, 'i'),
  new RegExp(`\\bcreate (?!(?:an? |the )?(?:new )?${EXISTING}).*\\b(?:to|on|for|of|about) ${EXISTING}`, 'i'),
  /\badd an? (?:reminder|alarm) to\b|\bput (?:off|back|forward)\b|\bin charge\b|\bon hold\b/i,
]
/** The request is also, or only, about a task. */
const ORDER_ZH = '(?:取消|删除|停止|终止|重试|启动|运行|创建|提交)'
const ORDER_EN =
  '(?:cancel|stop|abort|delete|remove|start|run|launch|retry)\\b[^,.;!]{0,60}\\b(?:tasks?|jobs?|analysis)\\b'
const MORE = [
  new RegExp(
    `${ORDER_ZH}[^,，。;；]*任务[^,，。;；]*[,，。;；].*提醒我|[,，。;；]\\s*\\S{0,3}${ORDER_ZH}[^,，。;；]*任务`,
  ),
  new RegExp(`${CLAUSE}${ORDER_EN}.*\\bremind me\\b`, 'i'),
  new RegExp(`(?:[,.;!]|\\band)\\s+(?:also |then |please )*${ORDER_EN}`, 'i'),
  /^(?!.*\bremind me\b).*\band (?:also |then |please )*(?:invite|e-?mail|notify)\b/i,
  /\b(?:schedule|plan)\s+(?:(?!about|for|with|to|on|of)\w+\s+){0,4}(?:tasks?|jobs?|video[_ -]?analysis)\b/i,
]
const DELETE = /(?:取消|删除|删掉|去掉)(?![了过]|的)|\b(?:cancel|delete|remove)\b/i
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i
// `安排`, `schedule` and `plan` are also nouns for the schedule itself. They are an order at the beginning of a clause or
// before a title.
const ARRANGE = /(?<!的|什么|有|哪些|啥)安排(?=\s*[^\s的吗呢了吧?。!])/
// “Meeting with Bob every Monday at 9am” asks to add the meeting.
const MATTER = /^(?:an? |new )?(?:meeting|appointment|event|reminder)\b|^(?:会议|约会|预约|提醒)[:：]/i
const PLAN = new RegExp(`${CLAUSE}(?:schedule|plan)\\s+(?!(?:for|of|on|at|in|from|between)\\b)\\S`, 'i')

/** The position of the first word about the schedule; -1: there is none. */
export const placeOfAgenda = (request: string): number => request.search(NOUN)

export const speaksOfAgenda = (request: string): boolean => AGENDA.test(request)

/** Whether a request deletes an item: only items of the schedule have a UUID and can be deleted by the agent. */
export const removesItem = (request: string): boolean => DELETE.test(request) && UUID.test(request)

/** Whether a request asks to add an item to the schedule. */
export function isAddition(request: string, timed: Timed): boolean {
  const [time] = timed.found
  const hasHour = time?.start.isCertain('hour') ?? false
  if ([...CHANGES, ...MORE].some((pattern) => pattern.test(request))) return false
  if (reminderOf(request).isAhead) return true
  if (ADD.test(request)) return AGENDA.test(request) || time !== undefined
  if (ARRANGE.test(request) || MATTER.test(request)) return hasHour
  return PLAN.test(time ? timed.text.replace(time.text, ' ').trim() : request)
}

export function agenda(said: string, named: string | undefined, place: Place): Intent {
  const mood = moodOf(said)
  const reminder = reminderOf(said)
  const { request } = reminder
  // “Remind me to delete …” deletes nothing.
  const deletes = DELETE.test(request) && reminder.minutes === undefined
  const repeat = repeatOf(request)
  const timed = findTimes(repeat?.request ?? request, place)
  if (deletes || isAddition(said, findTimes(said, place))) {
    if (mood === 'negated') return { kind: 'declined' }
    if (mood === 'how') return { kind: 'question' }
    if (mood === 'told') return deletes ? remove(request) : add(timed, named, repeat, reminder, place)
  }
  const [time] = timed.found
  const isLooking = mood !== 'told' || !time?.start.isCertain('hour')
  if (
    repeat ||
    !isLooking ||
    (time && !saysDays(timed)) ||
    !withoutDays(timed).some((rest) => says(rest, WORDS.agenda))
  )
    return { kind: 'unknown' }
  const { timezone } = place
  return call('list_schedule', { ...rangeOf(timed, place), timezone })
}

function remove(request: string): Intent {
  const id = UUID.exec(request)?.[0]
  if (!id) return { kind: 'which_item' }
  return says(request.replace(id, ' '), WORDS.remove)
    ? call('delete_schedule_item', { item_id: id })
    : { kind: 'unknown' }
}

function add(
  timed: Timed,
  named: string | undefined,
  repeat: Repeat | undefined,
  { minutes, isUnclear: isUnclearReminder }: Reminder,
  place: Place,
): Intent {
  const [time] = timed.found
  if (repeat?.isUnclear) return { kind: 'unclear_repeat' }
  if (isUnclearReminder || (minutes ?? 0) > MOST_MINUTES) return { kind: 'unclear_reminder' }
  if (!time?.start.isCertain('hour')) return { kind: 'which_time' }
  if (isUnclear(timed)) return { kind: 'unclear_time' }
  return call('add_schedule_item', {
    title: named ?? titleOf(timed.text, time),
    start_at: wallClock(time.start),
    ...(time.end && { end_at: wallClock(time.end) }),
    ...(repeat && { rrule: repeat.rule }),
    ...(minutes !== undefined && { reminder_minutes: minutes }),
    timezone: place.timezone,
  })
}

/** Four weeks, the tool's maximum. */
const MOST_MINUTES = 40_320
const REPEATS =
  /每|隔[\d一二两三四五六七八九十]?个?[天日周月年星礼]|天天|周周|\b(?:every|each|everyday|hourly|nightly|daily|weekly|bi-?weekly|fortnightly|monthly|quarterly|yearly|annually|weekdays|weekends|mornings|afternoons|evenings|nights|(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b/i
/** The repetition begins later, ends or is interrupted. */
const BOUNDED =
  /直到|为止|截[止至]|除了?|除外|不含|跳过|共[^,，。]{0,4}次|[\d一二两三四五六七八九十]+次|开始|起(?!床)|[连持]续|\b(?:until|till|through|except|excluding|skip(?:ping)?|but not|starting|beginning|for (?:the )?(?:next |\w+ )?(?:\w+ )?(?:days?|weeks?|months?|years?|times)|\w+ times)\b/i
const EACH_WEEK =
  /每个?(?=(?:周|星期|礼拜)[一二三四五六日天](?!\s*[、和及与到至,~-]|[一二三四五六日]))|\b(?:every|each) (?=(?:mon|tues|wednes|thurs|fri|satur|sun)day\b(?! ?(?:,|and\b|or\b|through\b|-|to (?:mon|tues|wednes|thurs|fri|satur|sun))))/i
const EACH_DAY = /每[天日]|\b(?:every ?|each )day\b/i

interface Repeat {
  request: string
  rule: string
  /** The request says more about the repetition than the rule does. */
  isUnclear: boolean
}

/** The rule for “every day” or “every Monday”; undefined: the request does not repeat. */
function repeatOf(said: string): Repeat | undefined {
  const [pattern, rule] = EACH_WEEK.test(said) ? [EACH_WEEK, 'FREQ=WEEKLY'] : [EACH_DAY, 'FREQ=DAILY']
  if (!REPEATS.test(said) && !pattern.test(said)) return undefined
  const request = said.replace(pattern, ' ')
  return { request, rule, isUnclear: request === said || REPEATS.test(request) || BOUNDED.test(request) }
}
