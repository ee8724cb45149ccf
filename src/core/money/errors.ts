import { defineErrors, defineTexts } from '../errors/define.ts'

export const MONEY_ERRORS = defineErrors({
  BALANCE_HELD: {
    kind: 'invalid_state',
    zh: '未结束的任务已冻结 {held}，余额不能低于此金额；请先取消任务',
    en: 'Unfinished tasks hold {held}, and the balance cannot be less; cancel tasks first',
  },
  INSUFFICIENT_BALANCE: {
    kind: 'invalid_state',
    zh: '可用余额不足，请先充值',
    en: 'The available balance is too low; top it up first',
  },
})

export const MONEY_RULES = defineTexts({
  two_decimals: { zh: '最多保留两位小数', en: 'may have at most two decimals' },
})
