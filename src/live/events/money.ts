import type { MoneyEvents } from '../../core/money/events.ts'
import { toMajor } from '../../core/money/ledger.ts'
import type { EventPresenters } from './presenters.ts'

export const moneyEvents: EventPresenters<MoneyEvents> = {
  'balance.changed': ({ balanceMinor, availableMinor, reason }) => ({
    balance: toMajor(balanceMinor),
    available_balance: toMajor(availableMinor),
    reason,
  }),
  'balance.low': ({ balanceMinor, availableMinor, thresholdMinor }) => ({
    balance: toMajor(balanceMinor),
    available_balance: toMajor(availableMinor),
    threshold: toMajor(thresholdMinor),
  }),
}
