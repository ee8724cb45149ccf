/** A token bucket for incoming frames: `burst` frames at once, `perSecond` on average. */
export class FrameBudget {
  private tokens: number
  private at = performance.now()

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
  ) {
    this.tokens = burst
  }

  /** Whether one more frame is within the budget. */
  spend(): boolean {
    const now = performance.now()
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1000) * this.perSecond)
    this.at = now
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }
}
