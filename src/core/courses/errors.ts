import { defineErrors } from '../errors/define.ts'

export const COURSE_ERRORS = defineErrors({
  COURSE_PROVIDER_UNAVAILABLE: {
    kind: 'unavailable',
    zh: '课程平台暂时无法访问，请稍后重试',
    en: 'The provider of courses cannot be reached at the moment; try again soon',
  },
  COURSE_PROVIDER_FAILED: {
    kind: 'failed',
    zh: '课程平台返回了无法识别的内容，请联系管理员',
    en: 'The provider of courses gave an answer that cannot be used; tell an administrator',
  },
  COURSE_ACCOUNT_MISSING: {
    kind: 'invalid_state',
    zh: '请先在 /api/user/config 中填写 cx_username 和 cx_password',
    en: 'Set cx_username and cx_password in /api/user/config first',
  },
  COURSE_ACCOUNT_REFUSED: {
    kind: 'invalid_state',
    zh: '课程平台拒绝了您的账号或密码，请在 /api/user/config 中更新',
    en: 'The provider of courses refuses your account or password; change them in /api/user/config',
  },
})
