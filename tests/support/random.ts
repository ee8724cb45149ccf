/** Chance that can be repeated: `FAULT_SEED` names the seed, which is printed. */
export class Random {
  private state: number

  constructor(readonly seed: number) {
    this.state = seed >>> 0
  }

  static announced(what: string): Random {
    const seed = Number(process.env.FAULT_SEED ?? crypto.getRandomValues(new Uint32Array(1))[0])
    console.log(`${what}: FAULT_SEED=${seed}`)
    return new Random(seed)
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)]!
  }

  /** A stream of its own, so that what runs beside it does not change its numbers. */
  fork(): Random {
    return new Random(this.between(0, 2 ** 32 - 1))
  }
}
