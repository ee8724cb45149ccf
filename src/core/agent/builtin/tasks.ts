import { call, type Intent } from './intent.ts'
import { CLAUSE, moodOf } from './mood.ts'

export const TASK = /任务|\b(?:tasks?|jobs?)\b/i
const STATUSES: [RegExp, string][] = [
  [/进行中|正在|运行中|\brunning\b/i, 'running'],
  [/等待|排队|待处理|\b(?:pending|queued|waiting)\b/i, 'pending'],
  [/失败|\bfailed\b/i, 'failed'],
  [/完成(?!后)|\b(?:completed|finished|done)\b/i, 'completed'],
  [/已取消|取消[了掉]*的|\bcancell?ed\b/i, 'cancelled'],
  [/暂停|\bpaused\b/i, 'paused'],
]
const TYPES: [RegExp, string][] = [
  [/视频分析|\bvideo[_ -]?analysis\b/i, 'video_analysis'],
  [/测试|\btest\b/i, 'test'],
]
// “创建的任务” and “任务开始时间” tell of a task, they order none.
const VERB = '(?:创建|新建|启动|开始|运行|提交|跑)'
const START = new RegExp(
  `${VERB}(?![了过着的中]|时间)(?=.*任务)|把[^把]{0,40}任务[^把]{0,20}${VERB}(?!的)|${CLAUSE}(?:start|create|run|launch|submit)\\b(?=.*\\b(?:tasks?|jobs?)\\b)`,
  'i',
)
const PAST =
  /昨[天晚]|前天|上周|上个?月|刚[才刚]|[之以]前|\b(?:yesterday|ago|tried|last (?:week|month|night))\b/i
const CANCEL =
  /(?<!已|被|自动)(?:取消|停止|终止|中止)(?![了过掉]*的|了|过|时间)|\b(?:cancel|stop|abort|kill)\b/i

/** Whether a request has the words of an order to start a task. */
export const startsTask = (request: string): boolean => START.test(request)

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
  const id = /(?:任务|\b(?:task|job))\s*(?:#|号)?\s*(\d{1,9})\b/i.exec(request)?.[1]
  if (id) return call('show_task', { task_id: Number(id) })
  return call('list_tasks', status ? { status } : {})
}

function cancel(request: string): Intent {
  const id = /(?:#|\b)(\d{1,9})\b/.exec(request)?.[1]
  return id ? call('cancel_task', { task_id: Number(id) }) : { kind: 'which_task' }
}

function start(request: string, named: string | undefined): Intent {
  const type = TYPES.find(([pattern]) => pattern.test(request))?.[1]
  if (!type) return { kind: 'which_type' }
  const url = /https?:\/\/\S+/i.exec(request)?.[0]
  return call('create_task', { title: named ?? type, task_type: type, ...(url && { config: { url } }) })
}
