/** A stored beat is this old at most, unless its server is busy, away or dead. */
export const BEAT_MS = 500
/** Nobody moves a study task for longer than this after the last known beat of its runner. */
export const TRUST_MS = 2 * BEAT_MS
/** Later readings of a clock that is ahead take it back by this part of the time, so that positions never go back. */
const CORRECTION = 0.01
const FORGET_MS = 60_000
/** Beats of other servers are read often for this time after somebody has asked for a clock. */
const WANTED_MS = 5000

interface Clock {
  /** The runner's clock minus the clock of this process. */
  offset: number
  beatMs: number
  learnedAt: number
}

/**
 * The monotonic clocks of the servers that run study tasks, by their beats: with them any server computes where a task is.
 * A clock stands still {@link TRUST_MS} after the last beat, because another server goes on from that beat when the
 * runner is dead.
 */
export class RunnerClocks {
  private readonly clocks = new Map<string, Clock>()
  private askedAt = Number.NEGATIVE_INFINITY
  /** This server's own id as a runner. */
  own: string | undefined

  /** @param ageMs how long ago the runner wrote the beat, by the clock of the database */
  learn(runnerId: string, beatMs: number, ageMs: number): void {
    const now = performance.now()
    const offset = beatMs + Math.min(Math.max(ageMs, 0), TRUST_MS) - now
    const known = this.clocks.get(runnerId)
    if (known && beatMs < known.beatMs) return
    this.clocks.set(runnerId, {
      // A reading that came late says too little.
      offset: known ? Math.max(offset, known.offset - CORRECTION * (now - known.learnedAt)) : offset,
      beatMs,
      learnedAt: now,
    })
    if (!known) this.forgetOld(now)
  }

  /** The runner's clock now, in ms; undefined when this server knows no beat of it. */
  now(runnerId: string): number | undefined {
    const now = performance.now()
    if (runnerId !== this.own) this.askedAt = now
    const clock = this.clocks.get(runnerId)
    return clock && Math.min(now + clock.offset, clock.beatMs + TRUST_MS)
  }

  /** Whether somebody on this server looks at tasks that other servers run. */
  get wanted(): boolean {
    return performance.now() - this.askedAt < WANTED_MS
  }

  private forgetOld(now: number): void {
    for (const [id, { learnedAt }] of this.clocks) if (now - learnedAt > FORGET_MS) this.clocks.delete(id)
  }
}
