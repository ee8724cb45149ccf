import { call, type Intent } from './intent.ts'
import { CLAUSE, moodOf } from './mood.ts'
import { says, WORDS } from './words.ts'

export const TASK = /任务|\b(?:tasks?|jobs?)\b/i
const STATUSES: [RegExp, string][] = [
  [/进行中|正在|运行中|\brunning\b/i, 'running'],
  [/等待|排队|待处理|\b(?:pending|queued|waiting)\b/i, 'pending'],
  [/失败|\bfailed\b/i, 'failed'],
  [/完成(?!后)|\b(?:completed|finished|done)\b/i, 'completed'],
  [/已取消|取消[了掉]*的|\bcancell?ed\b/i, 'cancelled'],
  [/暂停|\bpaused\b/i, 'paused'],
]
const BUILTIN_TYPES: [RegExp, string][] = [
  [/视频分析|\bvideo[_ -]?analysis\b/i, 'video_analysis'],
  [/测试|\btest\b/i, 'test'],
]
const ANALYSIS = BUILTIN_TYPES[0]![0].source
// “创建的任务” and “任务开始时间” describe a task and order none.
const VERB = '(?:创建|新建|启动|开始|运行|提交|跑)'
const START = new RegExp(
  `${VERB}(?![了过着的中]|时间)(?=.*(?:任务|视频分析))|(?:做|进行)(?:一[个次下])?视频分析|把[^把]{0,40}任务[^把]{0,20}${VERB}(?!的)|${CLAUSE}(?:start|create|run|launch|submit)\\b(?=.*(?:\\b(?:tasks?|jobs?)\\b|${ANALYSIS}))`,
  'i',
)
/** An order may name a type without the word “task”: “run whisper”. */
const START_BY_NAME = /^(?:请|帮我)?(?:启动|运行)\s*(?=[a-z])|^(?:please )?(?:start|run|launch)\b/i
const PAST =
  /昨[天晚]|前天|上周|上个?月|刚[才刚]|[之以]前|\b(?:yesterday|ago|tried|last (?:week|month|night))\b/i
const CANCEL =
  /(?<!已|被|自动)(?:取消|停止|终止|中止)(?![了过掉]*的|了|过|时间)|\b(?:cancel|stop|abort|kill)\b/i
const NUMBERED = /(?:任务|\b(?:tasks?|jobs?))\s*(?:#|号|number\b|no\b)?\s*(\d{1,9})(?:\s*号)?(?!\d)/i
const NUMBER = /(?<!\d)\d{1,9}(?!\d)/g
/** The number counts tasks, and is not the number of one task. */
const COUNTED = /\d\s*(?:\w+\s+)?(?:tasks|jobs)\b|(?<!第\s*\d*)\d\s*[个项条]|-\d/i
// Chinese text right behind a URL may belong to the URL; behind a comma it does not.
const URL =
  /https?:\/\/[^\s\p{Script=Han}]+(?<![.,;:!?)\]'"])(?=[.,;:!?)\]'"]*(?:\s|$)|[.,;:!?)\]'"]+\p{Script=Han})/giu

/** Whether a request orders to start a task. */
export const startsTask = (request: string): boolean => START.test(request)
export const startsByName = (request: string): boolean => START_BY_NAME.test(request)

export function tasks(request: string, named: string | undefined): Intent {
  const mood = moodOf(request)
  const status = STATUSES.find(([pattern]) => pattern.test(request))?.[1]
  const cancels = CANCEL.test(request) && status !== 'cancelled'
  const starts = !status && START.test(request) && !PAST.test(request)
  if (cancels || starts) {
    if (mood === 'negated') return { kind: 'declined' }
    if (mood === 'how') return { kind: 'question' }
    if (mood === 'told') return cancels ? cancel(request) : start(request, named)
  }
  const rest = request.replace(NUMBERED, ' ')
  const isUnfiltered = !says(rest, WORDS.tasks)
  // In a question such a verb asks about the past; anywhere else it is an order that the agent does not understand.
  const verbs = mood === 'asked' ? request : request.replace(/\b(?:start|create|run)\b/gi, ' ? verb ')
  if (!says(verbs.replace(NUMBERED, ' '), WORDS.narrowing, WORDS.tasks)) return { kind: 'unknown' }
  const id = NUMBERED.exec(request)?.[1]
  if (id) return call('show_task', { task_id: Number(id) })
  const intent = call('list_tasks', status ? { status } : {})
  return isUnfiltered ? { ...intent, isUnfiltered } : intent
}

function cancel(request: string): Intent {
  const numbers = request.match(NUMBER) ?? []
  const isOne = numbers.length <= 1 && !COUNTED.test(request)
  if (!isOne || !says(request.replace(NUMBER, ' '), WORDS.cancel)) return { kind: 'unknown' }
  return numbers[0] ? call('cancel_task', { task_id: Number(numbers[0]) }) : { kind: 'which_task' }
}

/** Starts a task of a built-in type. For other types the intent is `start`, and the agent looks up what the nodes offer. */
export function start(request: string, named: string | undefined): Intent {
  const [url, ...more] = request.match(URL) ?? []
  const rest = request.replace(URL, ' ')
  const [pattern, type] = BUILTIN_TYPES.find(([pattern]) => pattern.test(rest)) ?? []
  if (!pattern || !says(rest.replace(pattern, ' ').replace(/视频|\bvideo\b/gi, ' '), WORDS.start)) {
    return url ? { kind: 'unknown' } : { kind: 'start', request, named }
  }
  const isAnalysis = type === 'video_analysis'
  if (more.length > 0 || (url && !isAnalysis)) return { kind: 'unknown' }
  if (isAnalysis && !url) return { kind: 'which_video' }
  return call('create_task', {
    title: named ?? type,
    task_type: type,
    ...(url && { config: { video_url: url } }),
  })
}

/** Starts a task of a type that a node offers. */
export function startOffered(request: string, named: string | undefined, types: string[]): Intent {
  const longestFirst = types.toSorted((a, b) => b.length - a.length)
  for (const type of longestFirst) {
    const rest = request.replace(spelling(type), ' ')
    if (rest !== request && says(rest, WORDS.start)) {
      return call('create_task', { title: named ?? type, task_type: type })
    }
  }
  // The request names a known type together with words that the agent does not understand.
  const isKnown = [...BUILTIN_TYPES.map(([pattern]) => pattern), ...longestFirst.map(spelling)].some((type) =>
    type.test(request),
  )
  return isKnown || request.search(NUMBER) >= 0 || !TASK.test(request)
    ? { kind: 'unknown' }
    : { kind: 'which_type' }
}

/** A pattern for the spellings of a type: `load-test` may be written “load test”. */
const spelling = (type: string) =>
  new RegExp(`(?<![\\w.-])${type.split(/[_.-]/).map(RegExp.escape).join('[ _.-]?')}(?![\\w-]|\\.\\w)`, 'i')
