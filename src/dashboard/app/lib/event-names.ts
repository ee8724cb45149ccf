/** What each event type is called. */
import type { EventType } from '../../../client/index.ts'
import { language } from './language.ts'

const NAMES: Record<EventType, readonly [en: string, zh: string]> = {
  'task.created': ['A task is created', '任务已创建'],
  'task.started': ['A task starts', '任务开始'],
  'task.paused': ['A task is paused', '任务暂停'],
  'task.resumed': ['A task goes on', '任务继续'],
  'task.completed': ['A task is complete', '任务完成'],
  'task.failed': ['A task has failed', '任务失败'],
  'task.cancelled': ['A task is cancelled', '任务取消'],
  'task.requeued': ['A task is back in the queue', '任务重新排队'],
  'task.unplaceable': ['No server offers a task’s type', '没有服务器支持该任务类型'],
  'task.deleted': ['A task is deleted', '任务删除'],
  'upload.started': ['An upload begins', '上传开始'],
  'upload.completed': ['An upload is complete', '上传完成'],
  'upload.failed': ['An upload has failed', '上传失败'],
  'thumbnail.completed': ['A thumbnail is made', '缩略图完成'],
  'thumbnail.failed': ['A thumbnail has failed', '缩略图失败'],
  'photo.created': ['A photo is created', '照片已创建'],
  'photo.updated': ['A photo is changed', '照片已修改'],
  'photo.deleted': ['A photo is deleted', '照片已删除'],
  'photo.processed': ['A photo is processed', '照片处理完成'],
  'category.created': ['A category is created', '分类已创建'],
  'category.updated': ['A category is changed', '分类已修改'],
  'category.deleted': ['A category is deleted', '分类已删除'],
  'material.hidden': ['A material is hidden', '资料已隐藏'],
  'material.removed': ['A material is removed', '资料已移除'],
  'agent.run_finished': ['The agent has answered', '助手已回答'],
  'schedule.created': ['An appointment is made', '日程已创建'],
  'schedule.updated': ['An appointment is changed', '日程已修改'],
  'schedule.deleted': ['An appointment is deleted', '日程已删除'],
  'schedule.reminder': ['A reminder', '日程提醒'],
  'balance.changed': ['The balance changes', '余额变动'],
  'balance.low': ['The balance is low', '余额不足提醒'],
  'ledger.unbalanced': ['The ledger has differences', '账目不平'],
  'session.revoked': ['A session is ended', '登录被结束'],
  'user.login': ['Somebody signs in', '有人登录'],
  'user.updated': ['A profile is changed', '个人资料修改'],
  'system.backup': ['A backup has ended', '备份结束'],
  'gpu.online': ['A GPU server is online', 'GPU 服务器上线'],
  'gpu.offline': ['A GPU server is offline', 'GPU 服务器离线'],
  'webhook.disabled': ['A webhook is switched off', 'Webhook 被停用'],
}

export const EVENT_TYPES = Object.keys(NAMES) as EventType[]

/** The name of the type, or the type itself when a newer server has sent it. */
export const eventName = (type: string): string =>
  NAMES[type as EventType]?.[language.value === 'zh' ? 1 : 0] ?? type
