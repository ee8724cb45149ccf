/** Timers fire in steps of this many ms. */
const SLOT_MS = 10
/** A timer further away than a round stays in its slot for as many rounds as it needs. */
const SLOTS = 2048

export interface DueTimer<K> {
  key: K
  /** How late it is, in ms. */
  lagMs: number
}

/**
 * Many timers with one timer of the process: adding and deleting cost the same for any number of them. A timer never fires early.
 * Times are those of `performance.now()`, or of the clock that is given.
 */
export class TimerWheel<K> {
  private readonly slots = Array.from({ length: SLOTS }, () => new Map<K, number>())
  private readonly slotOf = new Map<K, Map<K, number>>()
  /** Slots are passed up to this step. */
  private passed: number
  private wakeAt = Number.POSITIVE_INFINITY
  private timer: ReturnType<typeof setTimeout> | undefined
  private isClosed = false

  /** @param fire gets all timers that are due at once, the earliest first */
  constructor(
    private readonly fire: (due: DueTimer<K>[]) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.passed = Math.floor(now() / SLOT_MS)
  }

  get size(): number {
    return this.slotOf.size
  }

  /** Sets the only timer of this key. A closed wheel ignores it. */
  set(key: K, dueMs: number): void {
    if (this.isClosed) return
    this.delete(key)
    const step = Math.max(Math.ceil(dueMs / SLOT_MS), this.passed + 1)
    const slot = this.slots[step % SLOTS]!
    slot.set(key, dueMs)
    this.slotOf.set(key, slot)
    // No timer of the process sleeps longer than a round, because it takes 24 days at most.
    const wakeAt = Math.min(step, Math.floor(this.now() / SLOT_MS) + SLOTS)
    if (wakeAt < this.wakeAt) this.wake(wakeAt)
  }

  delete(key: K): void {
    this.slotOf.get(key)?.delete(key)
    this.slotOf.delete(key)
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
    for (const slot of this.slots) slot.clear()
    this.slotOf.clear()
  }

  private wake(step: number): void {
    clearTimeout(this.timer)
    this.wakeAt = step
    this.timer = setTimeout(() => this.turn(), Math.max(Math.ceil(step * SLOT_MS - this.now()), 0))
  }

  private turn(): void {
    const now = this.now()
    const current = Math.floor(now / SLOT_MS)
    const due: DueTimer<K>[] = []
    // After a long pause every slot is looked at once.
    for (let step = Math.max(this.passed + 1, current - SLOTS + 1); step <= current; step++) {
      const slot = this.slots[step % SLOTS]!
      for (const [key, dueMs] of slot) {
        if (dueMs > now) continue
        slot.delete(key)
        this.slotOf.delete(key)
        due.push({ key, lagMs: now - dueMs })
      }
    }
    this.passed = Math.max(this.passed, current)
    this.wakeAt = Number.POSITIVE_INFINITY
    this.next()
    if (due.length > 0) this.fire(due.sort((a, b) => b.lagMs - a.lagMs))
  }

  /** Sleeps until the next slot that has a timer, of whichever round. */
  private next(): void {
    if (this.size === 0) return
    for (let step = this.passed + 1; step <= this.passed + SLOTS; step++) {
      if (this.slots[step % SLOTS]!.size > 0) return this.wake(step)
    }
  }
}
