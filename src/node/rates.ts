/** Passes on at most one value in `intervalMs`: the newest one. */
export class Conflated<T> {
  private waiting: { value: T } | undefined
  private timer: Timer | undefined

  constructor(
    private readonly pass: (value: T) => void,
    private readonly intervalMs: number,
  ) {}

  set(value: T): void {
    this.waiting = { value }
    if (!this.timer) this.passWaiting()
  }

  /** Drops the value that waits. */
  clear(): void {
    this.waiting = undefined
  }

  /** Passes on the value that waits, and stops the timer. */
  flush(): void {
    clearTimeout(this.timer)
    const { waiting } = this
    this.waiting = undefined
    if (waiting) this.pass(waiting.value)
  }

  private passWaiting(): void {
    this.flush()
    this.timer = setTimeout(() => {
      this.timer = undefined
      if (this.waiting) this.passWaiting()
    }, this.intervalMs)
  }
}

/** A token bucket: `burst` at once, `perSecond` on average. */
export class Rate {
  private tokens: number
  private filledAt = performance.now()

  constructor(
    private readonly perSecond: number,
    private readonly burst = perSecond,
  ) {
    this.tokens = burst
  }

  /** Whether one more is within the rate. */
  get open(): boolean {
    const now = performance.now()
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond)
    this.filledAt = now
    return this.tokens >= 1
  }

  /** Counts one more, also above the rate. */
  spend(): void {
    this.tokens--
  }

  take(): boolean {
    const { open } = this
    if (open) this.spend()
    return open
  }
}
