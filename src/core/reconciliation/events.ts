export interface ReconciliationEvents {
  /** The ledger has other differences than at the check before. */
  'ledger.unbalanced': { checkedAt: Date; differences: number }
}
