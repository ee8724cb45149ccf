import { waitAtMost } from './wait-at-most.ts'

/** A value that is read anew when somebody asks for it and `everyMs` have passed. Concurrent askers share one reading. */
export class Kept<T> {
  /** Undefined before the first reading, when the last one failed, and when somebody has waited for one that hangs. */
  value: T | undefined
  private readAt = -Infinity
  private reading: Promise<void> | undefined

  constructor(
    private readonly read: () => Promise<T>,
    private readonly everyMs: number,
  ) {}

  /** Waits at most `ms` for a reading that is due. Never rejects. */
  async refresh(ms: number): Promise<void> {
    if (!this.reading && performance.now() - this.readAt < this.everyMs) return
    this.reading ??= this.readNow()
    const { reading } = this
    await waitAtMost(ms, reading)
    // The value of the reading before is not how things are now.
    if (this.reading === reading) this.value = undefined
  }

  private async readNow(): Promise<void> {
    try {
      this.value = await this.read()
    } catch {
      this.value = undefined
    } finally {
      this.readAt = performance.now()
      this.reading = undefined
    }
  }
}
