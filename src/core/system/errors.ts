import { defineErrors } from '../errors/define.ts'

export const SYSTEM_ERRORS = defineErrors({
  MAINTENANCE: {
    kind: 'unavailable',
    zh: '系统维护中，暂时只能查看，请稍后再提交',
    en: 'The system is under maintenance: you can read, and change things again later',
  },
  JOB_NOT_FOUND: { kind: 'not_found', zh: '没有这个定时任务', en: 'There is no such job' },
})
