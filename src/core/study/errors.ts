import { defineErrors } from '../errors/define.ts'

export const STUDY_ERRORS = defineErrors({
  COURSE_NOT_FOUND: {
    kind: 'not_found',
    zh: '课程 {course} 不存在，任务没有开始',
    en: 'There is no course {course}. The task has not started',
  },
  TOO_MANY_ITEMS: {
    kind: 'invalid_state',
    zh: '任务的课程共有 {items} 项内容，超过上限 {limit}，请分成多个任务',
    en: 'The courses of this task have {items} items and {limit} are allowed: make several tasks of them',
  },
})
