import { defineTexts } from '../errors/define.ts'

export const MONEY_MESSAGES = defineTexts({
  statement_time: { zh: '时间', en: 'Time' },
  statement_kind: { zh: '类型', en: 'Type' },
  statement_title: { zh: '任务', en: 'Task' },
  statement_balance_change: { zh: '余额变动', en: 'Balance change' },
  statement_balance: { zh: '余额', en: 'Balance' },
  statement_available_change: { zh: '可用余额变动', en: 'Available change' },
  statement_available: { zh: '可用余额', en: 'Available balance' },
  statement_reference: { zh: '关联编号', en: 'Reference' },
  transfer_hold: { zh: '冻结', en: 'Hold' },
  transfer_release: { zh: '解冻', en: 'Release' },
  transfer_capture: { zh: '扣费', en: 'Charge' },
  transfer_adjustment: { zh: '管理员调整', en: 'Adjustment' },
  transfer_redemption: { zh: '充值', en: 'Recharge' },
})
