import { defineErrors, defineTexts } from '../errors/define.ts'

export const VERIFICATION_ERRORS = defineErrors({
  INVALID_CODE: {
    kind: 'unauthenticated',
    zh: '验证码无效或已过期',
    en: 'The code is wrong or has expired',
  },
  INVALID_RESET_TOKEN: {
    kind: 'invalid',
    zh: '重置令牌无效、已使用或已过期，请重新申请',
    en: 'The token is wrong, used or expired; ask for a new one',
  },
})

export const VERIFICATION_RULES = defineTexts({
  redirect: { zh: '不允许跳转到该地址', en: 'is not an address that the server allows' },
})
