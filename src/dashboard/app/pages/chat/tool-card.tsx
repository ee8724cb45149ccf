import type { ComponentChildren } from 'preact'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { Badge, type Tone } from '../../ui/parts.tsx'
import { type CallState, readJson, type ToolCall } from './turns.ts'

const names = texts({
  en: {
    list_tasks: 'Look up tasks',
    show_task: 'Look at a task',
    create_task: 'Start a task',
    cancel_task: 'Cancel a task',
    gpu_overview: 'Look at the GPU servers',
    list_uploads: 'Look up uploads',
    list_schedule: 'Look at the schedule',
    add_schedule_item: 'Add to the schedule',
    delete_schedule_item: 'Delete from the schedule',
    search_photos: 'Search photos',
    show_photo: 'Look at a photo',
  },
  zh: {
    list_tasks: '查询任务',
    show_task: '查看任务',
    create_task: '启动任务',
    cancel_task: '取消任务',
    gpu_overview: '查看 GPU 服务器',
    list_uploads: '查询上传的资料',
    list_schedule: '查看日程',
    add_schedule_item: '添加日程',
    delete_schedule_item: '删除日程',
    search_photos: '搜索照片',
    show_photo: '查看照片',
  },
})

const t = texts({
  en: {
    running: 'Running',
    waiting: 'Waits for your answer',
    done: 'Done',
    failed: 'Failed',
    declined: 'Not done',
    stopped: 'Stopped',
    input: 'Input',
    result: 'Result',
    task: 'Open the task',
    schedule: 'Open the schedule',
    photo: 'Open the photo',
  },
  zh: {
    running: '进行中',
    waiting: '等待你的确认',
    done: '完成',
    failed: '失败',
    declined: '未执行',
    stopped: '已停止',
    input: '输入',
    result: '结果',
    task: '打开任务',
    schedule: '打开日程',
    photo: '打开照片',
  },
})

const TONES: Record<CallState, Tone> = {
  running: 'info',
  waiting: 'warn',
  done: 'good',
  failed: 'bad',
  declined: '',
  stopped: '',
}

/** More of a result would help nobody. */
const MOST_SHOWN = 6000

/** What the agent does: the name of the tool in words, and on demand its input and result. */
export function ToolCard({ call, state }: { call: ToolCall; state: CallState }) {
  const result = call.result === undefined ? undefined : readJson(call.result)
  const link = linkTo(call.name, result)
  return (
    <details class="tool-card">
      <summary>
        <span class="grow truncate">
          {nameOf(call.name)}
          {gist(call) && <span class="muted"> · {gist(call)}</span>}
        </span>
        <Badge tone={TONES[state]}>{t[state]}</Badge>
      </summary>
      <div class="stack-tight">
        <Shown title={t.input} text={call.input} />
        {call.result !== undefined && <Shown title={t.result} text={call.result} />}
        {link && <p class="small">{link}</p>}
      </div>
    </details>
  )
}

const nameOf = (tool: string): string =>
  (names as Record<string, string | undefined>)[tool] ?? tool.replaceAll('_', ' ')

/** The part of the input by which the user knows what it is about. */
function gist({ input }: ToolCall): string {
  const { title, query, task_id, photo_id, status } = (readJson(input) ?? {}) as Record<string, unknown>
  const number = task_id ?? photo_id
  return String(title ?? query ?? (number === undefined ? (status ?? '') : `#${number}`))
}

function linkTo(tool: string, result: unknown): ComponentChildren {
  const { id, start_at } = (result ?? {}) as { id?: number; start_at?: string }
  if (/^(create|show|cancel)_task$/.test(tool) && id !== undefined) {
    return <a href={href(`/tasks/${id}`)}>{t.task}</a>
  }
  if (tool === 'show_photo' && id !== undefined) return <a href={href(`/photos/${id}`)}>{t.photo}</a>
  if (tool === 'add_schedule_item' && start_at) {
    return <a href={href('/schedule', { at: start_at })}>{t.schedule}</a>
  }
  return undefined
}

function Shown({ title, text }: { title: string; text: string }) {
  const value = readJson(text)
  const whole = value === undefined ? text : JSON.stringify(value, null, 2)
  return (
    <div>
      <p class="small muted">{title}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls a long text */}
      <pre tabIndex={0}>{whole.length > MOST_SHOWN ? `${whole.slice(0, MOST_SHOWN)}…` : whole}</pre>
    </div>
  )
}
