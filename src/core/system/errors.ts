import { defineErrors } from '../errors/define.ts'

export const SYSTEM_ERRORS = defineErrors({
  JOB_NOT_FOUND: { kind: 'not_found', zh: '没有这个定时任务', en: 'There is no such job' },
})
