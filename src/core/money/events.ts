export interface MoneyEvents {
  /** `availableMinor`: the balance without what is held for unfinished tasks. */
  'balance.changed': { balanceMinor: number; availableMinor: number; reason: string }
}
