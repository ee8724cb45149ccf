import { defineTexts } from '../errors/define.ts'

export const TIMELINE_RULES = defineTexts({
  calendar_date: { zh: '应为存在的日期，格式为 YYYY-MM-DD', en: 'must be a date that exists, as YYYY-MM-DD' },
})
