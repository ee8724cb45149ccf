export interface MoneyEvents {
  /**
   * Amounts as clients see them, because a statement may write them itself. `available`: the balance without what is held for
   * unfinished tasks.
   */
  'balance.changed': { balance: number; available: number; reason: string }
  /** The available balance has fallen below the user's threshold. */
  'balance.low': { balanceMinor: number; availableMinor: number; thresholdMinor: number }
}
