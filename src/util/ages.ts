export interface Seen {
  key: string
  /** Its age by the clock of the database; null when unknown. */
  seconds: number | null
}

/**
 * How long things have been unchanged, by the monotonic clock of this process. Stored times are trusted for no more than
 * the time between two looks, and fully only at the first look, because they are wrong after the wall clock was set.
 */
export class Ages {
  private since = new Map<string, number>()
  private lookedAt = Number.NEGATIVE_INFINITY

  /** Reads everything that exists now, and forgets what is absent. @param at when the look began */
  look(seen: Seen[], at: number): void {
    const since = new Map<string, number>()
    for (const { key, seconds } of seen) {
      const fresh = at - Math.min(Math.max(seconds ?? 0, 0) * 1000, at - this.lookedAt)
      since.set(key, this.since.get(key) ?? fresh)
    }
    this.since = since
    this.lookedAt = at
  }

  /** In ms; undefined for things that the last look did not find. */
  of(key: string): number | undefined {
    const since = this.since.get(key)
    return since === undefined ? undefined : performance.now() - since
  }
}
