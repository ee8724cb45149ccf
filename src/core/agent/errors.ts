import { defineErrors } from '../errors/define.ts'

export const AGENT_ERRORS = defineErrors({
  RUN_IN_PROGRESS: {
    kind: 'conflict',
    zh: '上一条消息仍在处理中，请等待完成或先取消',
    en: 'The agent is still answering the last message; wait until it has finished, or cancel it',
  },
  CONFIRMATION_OPEN: {
    kind: 'conflict',
    zh: '助手正在等待确认：请先回答它的问题',
    en: 'The agent waits for a confirmation; answer its question first',
  },
})
