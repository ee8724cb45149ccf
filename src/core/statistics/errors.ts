import { defineTexts } from '../errors/define.ts'

export const STATISTICS_RULES = defineTexts({
  period: {
    zh: '应为时间段，例如 24h、7d、4w、6m 或 1y，最长 10 年（小时最多 720）',
    en: 'must be a time such as 24h, 7d, 4w, 6m or 1y: at most 10 years, and 720 hours',
  },
})
