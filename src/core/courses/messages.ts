import { defineTexts } from '../errors/define.ts'

export const COURSE_MESSAGES = defineTexts({
  course_deleted: { zh: '课程已删除', en: 'Course deleted' },
})
