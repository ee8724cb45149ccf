import { en, type ParsedComponents, type ParsedResult, zh } from 'chrono-node'
import type { Language } from '../../messages.ts'
import type { ToolCall } from '../model.ts'

/** What a message asks for: tool calls, or something that only words answer. */
export type Intent =
  | { kind: 'call'; name: string; input: Record<string, unknown> }
  | { kind: 'greeting' | 'unknown' | 'which_task' | 'which_type' | 'which_time' | 'which_item' }

export interface Place {
  /** IANA name. */
  timezone: string
  now: Date
}

export const languageOfText = (text: string, fallback: Language): Language =>
  /\p{Script=Han}/u.test(text) ? 'zh' : /[a-z]{2}/i.test(text) ? 'en' : fallback

const STATUSES: [RegExp, string][] = [
  [/进行中|正在|运行中|\brunning\b/i, 'running'],
  [/等待|排队|待处理|\b(?:pending|queued|waiting)\b/i, 'pending'],
  [/失败|\bfailed\b/i, 'failed'],
  [/已?完成|\b(?:completed|finished|done)\b/i, 'completed'],
  [/已取消|\bcancell?ed\b/i, 'cancelled'],
  [/暂停|\bpaused\b/i, 'paused'],
]
const TASK = /任务|\b(?:tasks?|jobs?)\b/i
const START = /(?:创建|新建|启动|开始|运行|提交|跑一?个)|\b(?:start|create|run|launch|submit)\b/i
const CANCEL = /取消|停止|终止|中止|\b(?:cancel|stop|abort|kill)\b/i
const DELETE = /取消|删除|删掉|去掉|\b(?:cancel|delete|remove)\b/i
const ADD = /添加|新增|新建|创建|安排一?个|加一?个|记一?下|预约|\b(?:add|create|schedule|book|plan|put)\b/i
const GPU = /\bgpus?\b|显卡|算力|集群|节点|\b(?:cluster|nodes?|servers?)\b/i
const AGENDA =
  /日程|安排|行程|日历|约会|会议|预约|提醒|\b(?:schedule|calendar|agenda|appointments?|meetings?|events?)\b/i
const UPLOADS = /上传|课件|材料|资料|文件|视频|\b(?:uploads?|uploaded|materials?|files?|videos?|pdfs?)\b/i
const GREETING = /^(?:你好|您好|嗨|哈喽|帮助|你能做什么|(?:hi|hello|hey|help|what can you do)\b|[?？]$)/i
const TYPES: [RegExp, string][] = [
  [/视频分析|\bvideo[_ -]?analysis\b/i, 'video_analysis'],
  [/测试|\btest\b/i, 'test'],
]
const QUOTED = /["“「『《'‘]([^"”」』》'’]{1,255})["”」』》'’]/
const NAMED = /(?:叫做?|名为|标题(?:是|为)?|\b(?:called|named|titled)\b)\s*[:：]?\s*([^\s,，。.;；]{1,100})/i
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i

/** Reads a request in Chinese or English. It claims no more than that: what it does not understand, it says so. */
export function understand(message: string, place: Place): Intent {
  const text = message.normalize('NFKC').trim()
  const named = QUOTED.exec(text)?.[1] ?? NAMED.exec(text)?.[1]
  // What is in quotes is a name, not a request.
  const request = text.replace(QUOTED, ' ')
  const aboutTasks = TASK.test(request)
  if (aboutTasks && CANCEL.test(request) && !/已取消|\bcancell?ed\b/i.test(request)) {
    const id = /(?:#|\b)(\d{1,9})\b/.exec(request)?.[1]
    return id ? call('cancel_task', { task_id: Number(id) }) : { kind: 'which_task' }
  }
  if (aboutTasks && START.test(request) && !AGENDA.test(request)) return startTask(request, named)
  if (aboutTasks) {
    const id = /(?:任务|\b(?:task|job))\s*(?:#|号)?\s*(\d{1,9})\b/i.exec(request)?.[1]
    if (id) return call('show_task', { task_id: Number(id) })
    const status = STATUSES.find(([pattern]) => pattern.test(request))?.[1]
    return call('list_tasks', status ? { status } : {})
  }
  if (GPU.test(request)) return call('gpu_overview', {})
  if (AGENDA.test(request) || (ADD.test(request) && findTime(request, place)))
    return agenda(request, named, place)
  if (UPLOADS.test(request)) return call('list_uploads', {})
  return { kind: GREETING.test(text) ? 'greeting' : 'unknown' }
}

const call = (name: string, input: ToolCall['input'] & object): Intent => ({
  kind: 'call',
  ...{ name, input: input as Record<string, unknown> },
})

function startTask(request: string, named: string | undefined): Intent {
  const type = TYPES.find(([pattern]) => pattern.test(request))?.[1]
  if (!type) return { kind: 'which_type' }
  const url = /https?:\/\/\S+/i.exec(request)?.[0]
  return call('create_task', { title: named ?? type, task_type: type, ...(url && { config: { url } }) })
}

function agenda(request: string, named: string | undefined, place: Place): Intent {
  if (DELETE.test(request)) {
    const id = UUID.exec(request)?.[0]
    return id ? call('delete_schedule_item', { item_id: id }) : { kind: 'which_item' }
  }
  // "安排" is both a schedule and to schedule: a time of day decides.
  const time = findTime(request, place)
  const asks = /什么|哪些|吗|[?？]|\b(?:what|which|show|list|my)\b|查看|看看/i.test(request)
  if (ADD.test(request) && !asks) {
    if (!time?.start.isCertain('hour')) return { kind: 'which_time' }
    return call('add_schedule_item', {
      title: named ?? titleOf(request, time.text),
      start_at: wallClock(time.start),
      ...(time.end && { end_at: wallClock(time.end) }),
      timezone: place.timezone,
    })
  }
  return call('list_schedule', { ...rangeOf(request, time, place), timezone: place.timezone })
}

/** Words that say what to do, not what it is about. */
const FILLER =
  /请|帮我|我要|我想|一个|一下|添加|新增|新建|创建|安排|记录?|加|到|在|的|日程|日历|提醒我?|\b(?:please|add|create|schedule|book|plan|put|an?|the|my|to|on|in|at|for|calendar|agenda|appointment|event)\b/gi

function titleOf(request: string, timeText: string): string {
  const rest = request
    .replace(timeText, ' ')
    .replace(FILLER, ' ')
    .replace(/[,，。.!！:：;；\s]+/g, ' ')
    .trim()
  return rest.slice(0, 255) || (/\p{Script=Han}/u.test(request) ? '日程' : 'Appointment')
}

/** Chrono reckons in the clock of the process, so it is given the user's clock as if it were that one. */
function findTime(request: string, { now, timezone }: Place): ParsedResult | undefined {
  const parser = /\p{Script=Han}/u.test(request) ? zh.hans : en
  const { year, month, day, hour, minute } = localTime(now, timezone)
  const clock = new Date(year, month - 1, day, hour, minute)
  return parser.parse(request, clock, { forwardDate: true })[0]
}

/** Days of the user's own calendar, as `list_schedule` takes them: the last one included. */
function rangeOf(request: string, time: ParsedResult | undefined, { now, timezone }: Place) {
  const today = localTime(now, timezone).toPlainDate()
  const monday = today.subtract({ days: today.dayOfWeek - 1 })
  const days = (from: Temporal.PlainDate, count: number) => ({
    from: from.toString(),
    to: from.add({ days: count - 1 }).toString(),
  })
  if (/下(?:个?周|个?星期|礼拜)(?![一二三四五六日天])|\bnext week\b/i.test(request)) {
    return days(monday.add({ days: 7 }), 7)
  }
  if (/(?:本|这|这个)(?:周|星期|礼拜)(?![一二三四五六日天])|\bthis week\b/i.test(request))
    return days(monday, 7)
  if (/(?:本|这个?)月|\bthis month\b/i.test(request)) return days(today.with({ day: 1 }), today.daysInMonth)
  if (time) return days(Temporal.PlainDate.from(wallClock(time.start).slice(0, 10)), 1)
  if (/今[天日]|\btoday\b/i.test(request)) return days(today, 1)
  return days(today, 7)
}

/** Without an offset: whoever gets it reads it in the user's time zone, summer time and all. */
function wallClock(at: ParsedComponents): string {
  const two = (part: 'month' | 'day' | 'hour' | 'minute') => String(at.get(part) ?? 0).padStart(2, '0')
  return `${at.get('year')}-${two('month')}-${two('day')}T${two('hour')}:${two('minute')}:00`
}

const localTime = (now: Date, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timezone)
