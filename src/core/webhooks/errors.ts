import { defineErrors, defineTexts } from '../errors/define.ts'

export const WEBHOOK_ERRORS = defineErrors({
  WEBHOOK_ADDRESS_NOT_PUBLIC: {
    kind: 'invalid',
    zh: '{field} 必须指向公网地址',
    en: '{field} must lead to an address of the public internet',
  },
  EVENTS_OF_THE_SITE: {
    kind: 'forbidden',
    zh: '以下事件仅限管理员：{events}',
    en: 'Only administrators may have webhooks for {events}',
  },
  TOO_MANY_WEBHOOKS: {
    kind: 'invalid_state',
    zh: 'Webhook 已达上限 {limit} 个，请先删除一个',
    en: 'There are {limit} webhooks, which is the limit; delete one first',
  },
  WEBHOOK_INACTIVE: {
    kind: 'invalid_state',
    zh: '该 Webhook 已停用，请先启用',
    en: 'The webhook is switched off; switch it on first',
  },
})

export const WEBHOOK_RULES = defineTexts({
  web_url: {
    zh: '应为 http 或 https 网址，不含用户名和密码',
    en: 'must be an http or https URL without a user name and password',
  },
  port: { zh: '端口 {port} 不用于 HTTP', en: 'has the port {port}, which is not used for HTTP' },
  webhook_secret: {
    zh: 'whsec_ 之后应为 24–64 字节的 base64',
    en: 'must have 24 to 64 bytes in base64 after whsec_',
  },
})
