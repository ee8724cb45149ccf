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
