export interface Seen {
  key: string
  /** How old it is by the clock of whoever stored it; null: unknown. */
  seconds: number | null
}

/**
 * How long things have stood as they are, by the monotonic clock of this process. The stored times are believed as far
 * as the time between two looks reaches, and as a whole at the first look: after a step of the wall clock they say
 * anything.
 */
export class Ages {
  private since = new Map<string, number>()
  private lookedAt = Number.NEGATIVE_INFINITY

  /** Takes in everything that there is now; what is absent is forgotten. @param at when the look began */
  look(seen: Seen[], at: number): void {
    const since = new Map<string, number>()
    for (const { key, seconds } of seen) {
      const fresh = at - Math.min(Math.max(seconds ?? 0, 0) * 1000, at - this.lookedAt)
      since.set(key, this.since.get(key) ?? fresh)
    }
    this.since = since
    this.lookedAt = at
  }

  /** In ms; undefined for what the last look did not see. */
  of(key: string): number | undefined {
    const since = this.since.get(key)
    return since === undefined ? undefined : performance.now() - since
  }
}
