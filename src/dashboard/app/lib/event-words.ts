/** What an event says, in a few words, and where more is to be read. */
import type { AnyLiveEvent } from '../../../client/index.ts'
import type { IconName } from '../ui/icon.tsx'
import type { Tone } from '../ui/parts.tsx'
import { eventName } from './event-names.ts'
import { count, dateTime, money } from './format.ts'
import { texts } from './language.ts'
import { href } from './router.ts'

const t = texts({
  en: {
    of: (name: string, what: string) => `${name}: ${what}`,
    available: (sum: string) => `${sum} available`,
    noAnswer: 'The agent could not answer',
  },
  zh: {
    of: (name: string, what: string) => `${name}：${what}`,
    available: (sum: string) => `可用 ${sum}`,
    noAnswer: '助手未能回答',
  },
})

/** What several events of a type say together. */
export const severalOf = (type: string, n: number): string => `${eventName(type)} × ${count(n)}`

export interface Words {
  text: string
  icon: IconName
  tone: Tone
  /** Undefined where nothing is left to be read. */
  to: string | undefined
}

const ICONS: Record<string, IconName> = {
  task: 'tasks',
  upload: 'upload',
  thumbnail: 'materials',
  photo: 'photos',
  category: 'folder',
  material: 'materials',
  agent: 'chat',
  schedule: 'schedule',
  balance: 'money',
  ledger: 'money',
  session: 'session',
  user: 'session',
  gpu: 'gpu',
  webhook: 'webhook',
}

export function wordsOf(event: AnyLiveEvent): Words {
  const hasFailed = event.type === 'agent.run_finished' && event.data.status === 'failed'
  const name = hasFailed ? t.noAnswer : eventName(event.type)
  const what = subjectOf(event)
  return {
    text: what ? t.of(name, what) : name,
    icon: ICONS[event.type.split('.')[0]!] ?? 'pulse',
    tone: hasFailed ? 'bad' : toneOf(event.type),
    to: addressOf(event),
  }
}

function subjectOf({ type, data }: AnyLiveEvent): string {
  switch (type) {
    case 'task.failed':
      return `${data.title} – ${data.error_message}`
    case 'schedule.reminder':
      return `${data.title}, ${dateTime(data.start_at)}`
    case 'balance.changed':
    case 'balance.low':
      return t.available(money(data.available_balance))
    case 'user.login':
      return [data.username, data.device.browser, data.device.os].filter(Boolean).join(', ')
    case 'system.backup':
      return data.file_name
    default:
      if ('title' in data) return data.title
      return 'name' in data ? data.name : ''
  }
}

function toneOf(type: string): Tone {
  if (/\.(failed|offline|unbalanced)$/.test(type)) return 'bad'
  if (/\.(low|unplaceable|disabled|reminder|requeued|revoked)$/.test(type)) return 'warn'
  return /\.(completed|online)$/.test(type) ? 'good' : ''
}

function addressOf({ type, data }: AnyLiveEvent): string | undefined {
  if (type.endsWith('.deleted') || type.endsWith('.removed')) return undefined
  if ('task_id' in data) return href(`/tasks/${data.task_id}`)
  if ('photo_id' in data) return data.photo_id === null ? href('/photos') : href(`/photos/${data.photo_id}`)
  if ('material_id' in data) return href(`/materials/${data.material_id}`)
  if ('run_id' in data) return href(`/chat/${data.session_id}`)
  if ('item_id' in data) return href('/schedule')
  if ('server_id' in data) return href('/gpu', { server: data.server_id })
  if ('webhook_id' in data) return href(`/webhooks/${data.webhook_id}`)
  if (type.startsWith('balance.')) return href('/balance')
  return type === 'user.login' ? href('/account') : undefined
}
