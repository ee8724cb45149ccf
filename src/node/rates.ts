/** Passes on at most one value per `intervalMs`: the newest. */
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

  /** Forgets the value that waits: something newer has taken its place. */
  clear(): void {
    this.waiting = undefined
  }

  /** Passes the value that waits, and ends. */
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

/** A token bucket: `burst` at once, then `perSecond`. */
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

  /** Counts one, within the rate or not. */
  spend(): void {
    this.tokens--
  }

  take(): boolean {
    const { open } = this
    if (open) this.spend()
    return open
  }
}
