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

  /** Counts one more when that is within the rate. @returns whether it was */
  take(): boolean {
    const { open } = this
    if (open) this.spend()
    return open
  }
}
