import { defineErrors, defineTexts } from '../errors/define.ts'

export const VERIFICATION_ERRORS = defineErrors({
  INVALID_CODE: {
    kind: 'unauthenticated',
    zh: '验证码无效或已过期',
    en: 'The code is wrong or has expired',
  },
})

export const VERIFICATION_RULES = defineTexts({
  redirect: { zh: '不允许跳转到该地址', en: 'is not an address that the server allows' },
})
