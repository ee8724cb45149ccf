import { toMajor } from '../../core/money/amounts.ts'
import type { MoneyEvents } from '../../core/money/events.ts'
import type { EventPresenters } from './presenters.ts'

export const moneyEvents: EventPresenters<MoneyEvents> = {
  'balance.changed': ({ balance, available, reason }) => ({
    balance,
    available_balance: available,
    reason,
  }),
  'balance.low': ({ balanceMinor, availableMinor, thresholdMinor }) => ({
    balance: toMajor(balanceMinor),
    available_balance: toMajor(availableMinor),
    threshold: toMajor(thresholdMinor),
  }),
}
