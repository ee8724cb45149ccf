import { language } from '../../lib/language.ts'

const ZH: Record<string, string | undefined> = {
  announce_backups: '通告备份',
  cleanup_photo_files: '清理照片文件',
  cleanup_stale_records: '清理过期记录',
  delete_remains_of_deleted_users: '删除已注销用户的遗留数据',
  delete_unfinished_uploads: '删除未完成的上传',
  fold_changes_of_counts: '合并计数变更',
  limit_webhook_backlogs: '限制 Webhook 积压',
  maintain_embedded_database: '维护内置数据库',
  reconcile_ledger: '核对账目',
  send_schedule_reminders: '发送日程提醒',
  trim_agent_frames: '清理助手消息帧',
  trim_audit_log: '清理审计日志',
  trim_channel_events: '清理实时事件',
  trim_ended_sessions: '清理已结束的会话',
  trim_expired_codes: '清理过期验证码',
  trim_idempotency_keys: '清理幂等键',
  trim_system_log: '清理系统日志',
  trim_webhook_deliveries: '清理 Webhook 记录',
}

/** A job of the server in words of the page's language. */
export const jobName = (name: string): string =>
  (language.value === 'zh' && ZH[name]) || name.replaceAll('_', ' ')
