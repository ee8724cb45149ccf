import { defineErrors, defineTexts } from '../errors/define.ts'

export const COURSE_ERRORS = defineErrors({
  TOO_MANY_COURSES: {
    kind: 'invalid_state',
    zh: '课程已达上限 {limit} 门，请先删除一门',
    en: 'There are {limit} courses, which is the limit; delete one first',
  },
  COURSES_ELSEWHERE: {
    kind: 'invalid_state',
    zh: '课程由外部平台提供，请在该平台上修改',
    en: 'The courses come from an outside provider; change them there',
  },
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

export const COURSE_RULES = defineTexts({
  materials: { zh: '这些课件不存在：{ids}', en: 'contains materials that do not exist: {ids}' },
  repeated: { zh: '{value} 出现了多次', en: 'contains {value} more than once' },
})
