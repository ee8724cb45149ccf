import type { Language } from '../../util/language.ts'
import type { Spoken } from './intent.ts'

/** The texts of the built-in agent, by tool. A result is what the tool returns. */
interface Phrases {
  noModel: string
  abilities: string
  unknown: string
  which_task: string
  which_type: string
  which_video: string
  which_time: string
  unclear_time: string
  unclear_repeat: string
  unclear_reminder: string
  which_item: string
  question: string
  declined: string
  unfiltered: string
  types(offered: string[]): string
  failed(reason: string): string
  results: Record<string, (result: never, timezone: string, input: never) => string>
}

interface TaskView {
  id: number
  title: string
  task_type: string | null
  status: string
  progress: number
  error_message: string | null
}
interface TaskList {
  total: number
  tasks: TaskView[]
}
interface Overview {
  total_servers: number
  online_servers: number
  total_gpus: number
  busy_gpus: number
  average_gpu_usage: number
  used_memory: number
  total_memory: number
  total_running_tasks: number
  queue_length: number
  servers: { name: string; status: string; gpus: number; running_tasks: number }[]
}
interface ItemView {
  id: string
  title: string
  start_at: string
  end_at: string | null
  status: string
  rrule: string | null
  reminder_minutes: number | null
}
interface Items {
  items: ItemView[]
}
interface Days {
  from: string
  to: string
}
interface Uploads {
  total: number
  materials: { id: number; title: string; type: string; status: string; views: number }[]
}

const lines = (head: string, rows: string[]) => [head, ...rows.map((row) => `- ${row}`)].join('\n')

const clock = (language: Language, timezone: string) => (iso: string) =>
  new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: timezone,
    month: 'short',
    day: 'numeric',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(iso))

/** The days of a list. They are shown, so that the user sees when the agent has misread the request. */
function daysOf({ from, to }: Days, language: Language): string {
  const format = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: 'UTC',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    weekday: 'short',
  })
  return format.formatRange(new Date(from), new Date(to))
}

const planned = ({ items }: Items) => items.filter(({ status }) => status !== 'cancelled')

const span = ({ start_at, end_at }: ItemView, at: (iso: string) => string) =>
  end_at ? `${at(start_at)} – ${at(end_at)}` : at(start_at)

const everyZh = (rrule: string) => (rrule.includes('DAILY') ? '每天' : '每周')
const everyEn = (rrule: string) => (rrule.includes('DAILY') ? 'every day' : 'every week')

const remindZh = (minutes: number | null) =>
  minutes === null ? '' : minutes === 0 ? '，到时提醒' : `，提前 ${minutes} 分钟提醒`
const remindEn = (minutes: number | null) =>
  minutes === null
    ? ''
    : minutes === 0
      ? ', with a reminder at that time'
      : `, with a reminder ${minutes} minute${minutes === 1 ? '' : 's'} before`

const STATUS_ZH: Record<string, string> = {
  pending: '等待中',
  running: '运行中',
  paused: '已暂停',
  completed: '已完成',
  failed: '失败',
  cancelled: '已取消',
  online: '在线',
  offline: '离线',
  draining: '排空中',
  processing: '处理中',
  active: '可用',
  hidden: '已隐藏',
}
const zhStatus = (status: string) => STATUS_ZH[status] ?? status

const zhTask = ({ id, title, task_type, status, progress, error_message }: TaskView) =>
  `#${id} ${title}（${task_type ?? '学习'}）：${zhStatus(status)}，${progress}%${error_message ? `，${error_message}` : ''}`
const enTask = ({ id, title, task_type, status, progress, error_message }: TaskView) =>
  `#${id} ${title} (${task_type ?? 'study'}): ${status}, ${progress}%${error_message ? `, ${error_message}` : ''}`

export const PHRASES: Record<Language, Phrases> = {
  zh: {
    noModel: '当前没有配置语言模型，我是内置助手，只能处理下面这些请求。',
    abilities: lines('我可以：', [
      '查看任务（“我的任务”“失败的任务”“任务 12”）',
      '启动任务（“启动一个测试任务，叫“夜间测试””“启动视频分析 https://…”）或取消任务（“取消任务 12”）',
      '查看 GPU 状态（“GPU 状态”）',
      '查看日程（“我这周有什么安排”）或添加日程（“明天下午3点添加日程 牙医”“每周一上午9点提醒我写周报”）',
      '查看上传（“我上传的课件”）',
    ]),
    unknown: '抱歉，我没有理解这句话，或者做不到，所以什么都没有做。',
    which_task: '要取消哪个任务？请给出编号，例如“取消任务 12”。',
    which_type: '要启动哪种任务？请说出类型的名称；还没有启动任何任务。',
    which_video: '要分析哪个视频？请给出网址，例如“启动视频分析 https://example.com/a.mp4”。',
    which_time: '请告诉我具体时间，例如“明天下午3点添加日程 牙医”。',
    unclear_time:
      '时间没有完全看懂（例如不知道是上午还是下午），所以没有添加。请只写一个时间，日期和钟点都写数字，名称放在引号里，例如“2026年12月1日15:00到16:00添加日程 "牙医"”。',
    unclear_repeat:
      '这样的重复日程无法在这里添加，所以没有添加。我只懂“每天上午9点”和“每周一上午9点”；其他重复方式请在日程页面设置，或逐项添加。',
    unclear_reminder:
      '没有看懂什么时候提醒，所以没有添加。请写成“明天下午3点添加日程 牙医，提前10分钟提醒我”；已有日程的提醒请在日程页面修改。',
    which_item: '要删除哪一项？请给出日程的 id（可以先问“我这周有什么安排”）。',
    question:
      '这听起来是一个问题，所以什么都没有改动。要我去做，请直接说，例如“启动一个测试任务”“取消任务 12”“明天下午3点添加日程 牙医”。',
    declined: '好的，没有执行。',
    unfiltered: '我只能按状态筛选任务，所以下面没有按类型或时间筛选。',
    types: (offered) => `现有的类型：${offered.join('、')}。`,
    failed: (reason) => `没有成功：${reason}`,
    results: {
      list_tasks: ({ total, tasks }: TaskList) =>
        total === 0 ? '没有这样的任务。' : lines(`共有 ${total} 个任务：`, tasks.map(zhTask)),
      show_task: (task: TaskView) => zhTask(task),
      create_task: (task: TaskView) => `任务已创建：${zhTask(task)}`,
      cancel_task: (task: TaskView) => `任务已取消：${zhTask(task)}`,
      gpu_overview: (it: Overview) =>
        lines(
          `GPU 服务器 ${it.online_servers}/${it.total_servers} 台在线，GPU ${it.busy_gpus}/${it.total_gpus} 块忙碌，平均使用率 ${it.average_gpu_usage}%，显存 ${it.used_memory}/${it.total_memory} GB，运行中 ${it.total_running_tasks} 个任务，排队 ${it.queue_length} 个。`,
          it.servers.map(
            ({ name, status, gpus, running_tasks }) =>
              `${name}：${zhStatus(status)}，${gpus} 块 GPU，${running_tasks} 个任务`,
          ),
        ),
      list_schedule: (found: Items, timezone, days: Days) =>
        planned(found).length === 0
          ? `${daysOf(days, 'zh')}没有安排。`
          : lines(
              `${daysOf(days, 'zh')}有 ${planned(found).length} 项安排：`,
              planned(found).map(
                (item) => `${span(item, clock('zh', timezone))} ${item.title}（id ${item.id}）`,
              ),
            ),
      add_schedule_item: (item: ItemView, timezone) =>
        `已添加日程：${item.rrule ? `${everyZh(item.rrule)}，首次 ` : ''}${span(item, clock('zh', timezone))} ${item.title}${remindZh(item.reminder_minutes)}（id ${item.id}）`,
      delete_schedule_item: () => '日程已删除。',
      list_uploads: ({ total, materials }: Uploads) =>
        total === 0
          ? '还没有上传过课件。'
          : lines(
              `共上传了 ${total} 个课件：`,
              materials.map(
                ({ id, title, type, status, views }) =>
                  `#${id} ${title}（${type}）：${zhStatus(status)}，${views} 次浏览`,
              ),
            ),
    },
  },
  en: {
    noModel:
      'No language model is configured; I am the built-in assistant and understand only requests like these.',
    abilities: lines('I can:', [
      'show tasks (“my tasks”, “failed tasks”, “task 12”)',
      'start a task (“start a test task called "nightly"”, “start a video analysis of https://…”) or cancel one (“cancel task 12”)',
      'show the GPUs (“GPU status”)',
      'show your schedule (“what is on my schedule this week”) or add to it (“add appointment "Dentist" tomorrow at 3pm”, “remind me every Monday at 9am to write the report”)',
      'show your uploads (“my uploads”)',
    ]),
    unknown: 'Sorry, I did not understand that, or I can’t do it, so nothing was done.',
    which_task: 'Which task? Give its number, as in “cancel task 12”.',
    which_type: 'Which type of task? Say its name; nothing was started yet.',
    which_video: 'Which video? Give its URL, as in “start a video analysis of https://example.com/a.mp4”.',
    which_time: 'At what time? Say it like “add appointment "Dentist" tomorrow at 3pm”.',
    unclear_time:
      'I did not understand the time in full (it may be before or after noon), so nothing was added. Give one time, its day and hour in digits, and the title in quotes, as in “add appointment "Dentist" on 1 December 2026 from 15:00 to 16:00”.',
    unclear_repeat:
      'Items that repeat like this cannot be added here, so nothing was added. I know only “every day at 9am” and “every Monday at 9am”; set others on the page of the schedule, or add them one by one.',
    unclear_reminder:
      'I did not understand when to remind you, so nothing was added. Say it like “add appointment "Dentist" tomorrow at 3pm, remind me 10 minutes before”; reminders of items that are there already are set on the page of the schedule.',
    which_item: 'Which item? Give its id; “what is on my schedule this week” shows them.',
    question:
      'That reads as a question, so nothing was changed. To have something done, say it plainly, as in “start a test task”, “cancel task 12” or “add appointment "Dentist" tomorrow at 3pm”.',
    declined: 'All right, nothing was done.',
    unfiltered: 'I can narrow tasks down only by status, so these are not narrowed down by type or time.',
    types: (offered) => `Types there are: ${offered.join(', ')}.`,
    failed: (reason) => `That did not work: ${reason}`,
    results: {
      list_tasks: ({ total, tasks }: TaskList) =>
        total === 0
          ? 'There are no such tasks.'
          : lines(`${total} task${total === 1 ? '' : 's'}:`, tasks.map(enTask)),
      show_task: (task: TaskView) => enTask(task),
      create_task: (task: TaskView) => `Task created: ${enTask(task)}`,
      cancel_task: (task: TaskView) => `Task cancelled: ${enTask(task)}`,
      gpu_overview: (it: Overview) =>
        lines(
          `${it.online_servers} of ${it.total_servers} GPU servers are online, ${it.busy_gpus} of ${it.total_gpus} GPUs busy, average use ${it.average_gpu_usage} %, memory ${it.used_memory} of ${it.total_memory} GB, ${it.total_running_tasks} tasks running, ${it.queue_length} queued.`,
          it.servers.map(
            ({ name, status, gpus, running_tasks }) =>
              `${name}: ${status}, ${gpus} GPUs, ${running_tasks} tasks`,
          ),
        ),
      list_schedule: (found: Items, timezone, days: Days) =>
        planned(found).length === 0
          ? `Nothing is scheduled for ${daysOf(days, 'en')}.`
          : lines(
              `${planned(found).length} item${planned(found).length === 1 ? '' : 's'} for ${daysOf(days, 'en')}:`,
              planned(found).map(
                (item) => `${span(item, clock('en', timezone))} ${item.title} (id ${item.id})`,
              ),
            ),
      add_schedule_item: (item: ItemView, timezone) =>
        `Added to your schedule: ${item.rrule ? `${everyEn(item.rrule)}, first ` : ''}${span(item, clock('en', timezone))} ${item.title}${remindEn(item.reminder_minutes)} (id ${item.id})`,
      delete_schedule_item: () => 'The item is deleted.',
      list_uploads: ({ total, materials }: Uploads) =>
        total === 0
          ? 'You have not uploaded anything yet.'
          : lines(
              `${total} upload${total === 1 ? '' : 's'}:`,
              materials.map(
                ({ id, title, type, status, views }) =>
                  `#${id} ${title} (${type}): ${status}, ${views} views`,
              ),
            ),
    },
  },
}

/** The answer to a message that calls no tool. */
export function speak(kind: Spoken, language: Language): string {
  const phrases = PHRASES[language]
  if (kind === 'greeting') return `${phrases.noModel}\n\n${phrases.abilities}`
  if (kind === 'unknown')
    return `${inARow(language, phrases.unknown, phrases.noModel)}\n\n${phrases.abilities}`
  return phrases[kind]
}

/** Joins sentences; in Chinese without a space. */
export const inARow = (language: Language, ...sentences: string[]): string =>
  sentences.join(language === 'zh' ? '' : ' ')
