import type { ReconciliationEvents } from '../../core/reconciliation/events.ts'
import type { EventPresenters } from './presenters.ts'

export const reconciliationEvents: EventPresenters<ReconciliationEvents> = {
  'ledger.unbalanced': ({ checkedAt, differences }) => ({
    checked_at: checkedAt.toISOString(),
    differences,
  }),
}
