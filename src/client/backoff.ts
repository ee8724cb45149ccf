/** Full jitter: a random delay below a limit that doubles with each failure, so that many clients do not come back together. */
export class Backoff {
  private failures = 0

  constructor(
    private readonly firstMs: number,
    private readonly capMs: number,
  ) {}

  next(): number {
    const limit = Math.min(this.capMs, this.firstMs * 2 ** this.failures)
    this.failures = Math.min(this.failures + 1, 30)
    return Math.random() * limit
  }

  reset(): void {
    this.failures = 0
  }
}
