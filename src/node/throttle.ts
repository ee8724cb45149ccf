/** Passes on at most one value per `intervalMs`: the newest. `flush` passes the one that waits. */
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

  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
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

/** A token bucket: a second's worth in a burst, then `perSecond`. */
export class Rate {
  private tokens: number
  private filledAt = performance.now()
  /** Refused since the last `takeDropped`. */
  private dropped = 0

  constructor(private readonly perSecond: number) {
    this.tokens = perSecond
  }

  take(): boolean {
    const now = performance.now()
    this.tokens = Math.min(this.perSecond, this.tokens + ((now - this.filledAt) / 1000) * this.perSecond)
    this.filledAt = now
    if (this.tokens < 1) {
      this.dropped++
      return false
    }
    this.tokens--
    return true
  }

  takeDropped(): number {
    const { dropped } = this
    this.dropped = 0
    return dropped
  }
}
