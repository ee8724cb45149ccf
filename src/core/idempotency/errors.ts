import { defineErrors, defineTexts } from '../errors/define.ts'

export const IDEMPOTENCY_ERRORS = defineErrors({
  IDEMPOTENCY_KEY_REUSED: {
    kind: 'invalid',
    zh: '此 Idempotency-Key 已用于另一请求，请换用新的键',
    en: 'This Idempotency-Key was used for another request; make a new key for this one',
  },
  IDEMPOTENCY_KEY_IN_USE: {
    kind: 'conflict',
    zh: '带有此 Idempotency-Key 的请求仍在处理，请稍后重试',
    en: 'A request with this Idempotency-Key is still running; try again soon',
  },
})

export const IDEMPOTENCY_RULES = defineTexts({
  idempotency_key: {
    zh: '应为一个 1 到 {limit} 个可见 ASCII 字符的键，例如 "8e03978e-40d5-43dd-bc93-6894a57f9324"',
    en: 'must be one key of 1 to {limit} visible ASCII characters, such as "8e03978e-40d5-43dd-bc93-6894a57f9324"',
  },
})
