import { defineTexts } from '../errors/define.ts'

export const NODE_MESSAGES = defineTexts({
  server_created: {
    zh: '服务器已登记，令牌只显示这一次',
    en: 'Server created; its token is shown only this once',
  },
  token_rotated: { zh: '令牌已更换，只显示这一次', en: 'Token replaced; it is shown only this once' },
})
