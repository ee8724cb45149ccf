export interface MoneyEvents {
  /** `availableMinor`: the balance without what is held for unfinished tasks. */
  /** Amounts as clients see them, because a statement may write them itself. */
  'balance.changed': { balance: number; available: number; reason: string }
  /** The available balance has fallen below the user's threshold. */
  'balance.low': { balanceMinor: number; availableMinor: number; thresholdMinor: number }
}
