import { defineErrors } from '../errors/define.ts'

export const RATE_LIMIT_ERRORS = defineErrors({
  RATE_LIMITED: {
    kind: 'limited',
    zh: '请求过于频繁，请在 {seconds} 秒后重试',
    en: 'Too many requests; try again in {seconds} s',
  },
})
