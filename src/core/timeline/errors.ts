import { defineErrors, defineTexts } from '../errors/define.ts'

export const TIMELINE_ERRORS = defineErrors({
  UNKNOWN_PHOTOS: {
    kind: 'invalid',
    zh: '这些照片不存在：{photos}',
    en: 'These photos do not exist: {photos}',
  },
})

export const TIMELINE_RULES = defineTexts({
  calendar_date: { zh: '应为存在的日期，格式为 YYYY-MM-DD', en: 'must be a date that exists, as YYYY-MM-DD' },
})
