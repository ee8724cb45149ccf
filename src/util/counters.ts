/** A counter after an increment. */
export interface Counter {
  count: number
  /** How long the counter's window still lasts, in ms. */
  resetMs: number
}

/** About 20 MB. */
const CAPACITY = 100_000

/**
 * Counters with a window, in the memory of this process. Beyond `capacity` the counter whose window began first ends early,
 * so that requests from ever more addresses cannot use up the memory.
 */
export class Counters {
  /** The window that began first stands first. */
  private readonly counters = new Map<string, { count: number; expires: number }>()

  constructor(private readonly capacity = CAPACITY) {}

  /** See `Bus.increment`. */
  increment(key: string, windowMs: number, max: number): Counter {
    const now = performance.now()
    let counter = this.counters.get(key)
    if (!counter || counter.expires <= now) {
      this.counters.delete(key)
      if (this.counters.size >= this.capacity)
        this.counters.delete(this.counters.keys().next().value as string)
      counter = { count: 0, expires: now + windowMs }
      this.counters.set(key, counter)
    }
    const count = counter.count + 1
    counter.count = Math.min(count, max)
    return { count, resetMs: Math.round(counter.expires - now) }
  }

  /** See `Bus.decrement`. */
  decrement(key: string): void {
    const counter = this.counters.get(key)
    if (counter && --counter.count <= 0) this.counters.delete(key)
  }

  /** Removes the counters whose window has ended. */
  sweep(): void {
    const now = performance.now()
    for (const [key, { expires }] of this.counters) if (expires <= now) this.counters.delete(key)
  }

  clear(): void {
    this.counters.clear()
  }
}
