import { defineTexts } from '../errors/define.ts'

export const SYSTEM_MESSAGES = defineTexts({
  job_paused: { zh: '定时任务 {jobId} 已暂停', en: 'Job {jobId} paused successfully' },
  job_resumed: { zh: '定时任务 {jobId} 已恢复', en: 'Job {jobId} resumed successfully' },
})
