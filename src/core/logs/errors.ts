import { defineErrors } from '../errors/define.ts'

export const LOG_ERRORS = defineErrors({
  LOG_NOT_STORED: {
    kind: 'invalid_state',
    zh: '服务器未保存日志（LOG_KEEP_DAYS 为 0）',
    en: 'The servers do not store their log: LOG_KEEP_DAYS is 0',
  },
})
