import { defineErrors, defineTexts } from '../errors/define.ts'

export const TASK_ERRORS = defineErrors({
  INVALID_STATE: {
    kind: 'invalid_state',
    zh: '任务处于 {status} 状态，不能执行此操作',
    en: 'The task is {status}; this is not possible now',
  },
  NOT_A_STUDY_TASK: {
    kind: 'invalid_state',
    zh: 'GPU 任务由服务器自动开始，不能手动开始、暂停或恢复',
    en: 'Only study tasks can be started, paused and resumed. A GPU task starts when a GPU server has room for it',
  },
  TASK_LIMIT_EXCEEDED: {
    kind: 'limited',
    zh: '未结束的任务已达上限（{limit}）',
    en: 'You have reached the limit of {limit} unfinished tasks',
  },
})

export const TASK_RULES = defineTexts({
  task_kind: {
    zh: '请只提供 course_ids 或 task_type 其中之一',
    en: 'give either course_ids or task_type, and only one of them',
  },
})
