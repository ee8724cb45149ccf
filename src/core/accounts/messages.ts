import { defineTexts } from '../errors/define.ts'

export const ACCOUNT_MESSAGES = defineTexts({
  registered: { zh: '账号已创建', en: 'Account created' },
  signed_in: { zh: '已登录', en: 'Signed in' },
  signed_out: { zh: '已退出登录', en: 'Successfully logged out' },
  discard_tokens: { zh: '请同时删除客户端保存的令牌', en: 'Please discard your tokens on the client side' },
  password_reset_mailed: {
    zh: '如果该邮箱已注册，重置密码的邮件将很快送达',
    en: 'If this email has an account, a mail for a new password is on its way',
  },
  user_deleted: { zh: '账号已删除', en: 'Account deleted' },
  password_changed: { zh: '密码已修改', en: 'Password changed' },
})
