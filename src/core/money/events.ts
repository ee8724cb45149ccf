export interface MoneyEvents {
  /** `availableMinor`: the balance without what is held for unfinished tasks. */
  'balance.changed': { balanceMinor: number; availableMinor: number; reason: string }
  /** The available balance has fallen below the user's threshold. */
  'balance.low': { balanceMinor: number; availableMinor: number; thresholdMinor: number }
}
