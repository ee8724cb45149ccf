import { defineErrors, defineTexts } from '../errors/define.ts'

export const MONEY_ERRORS = defineErrors({
  INSUFFICIENT_BALANCE: {
    kind: 'invalid_state',
    zh: '可用余额不足，请先充值',
    en: 'The available balance is too low; top it up first',
  },
})

export const MONEY_RULES = defineTexts({
  two_decimals: { zh: '最多保留两位小数', en: 'may have at most two decimals' },
})
