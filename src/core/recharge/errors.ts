import { defineErrors } from '../errors/define.ts'

export const RECHARGE_ERRORS = defineErrors({
  /** One error for every code that cannot be redeemed, because the reason would tell whoever guesses that a code exists. */
  INVALID_RECHARGE_CODE: {
    kind: 'invalid',
    zh: '充值码无效、已过期、已停用或已被使用',
    en: 'The recharge code is wrong, expired, disabled or already used',
  },
})
