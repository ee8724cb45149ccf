import { defineTexts } from '../errors/define.ts'

export const SYSTEM_MESSAGES = defineTexts({
  job_paused: { zh: '定时任务 {job_id} 已暂停', en: 'Job {job_id} paused successfully' },
  job_resumed: { zh: '定时任务 {job_id} 已恢复', en: 'Job {job_id} resumed successfully' },
})
