import { Ages } from '../../util/ages.ts'
import type { Context } from '../context.ts'
import { BEAT_MS } from '../tasks/runner-clocks.ts'
import type { Beat } from './lease.ts'

/** A server whose beat stands still for this time is dead. */
const LEASE_MS = 8 * BEAT_MS

/** The other servers that run study tasks, as far as their beats tell. */
export class OtherRunners {
  private readonly ages = new Ages()
  private lastLook = Number.NEGATIVE_INFINITY
  private lookingSince = performance.now()

  constructor(private readonly ctx: Context) {}

  /**
   * Takes the beats of all other servers.
   * @param at when the look began that read them
   * @returns those of dead servers
   */
  look(beats: Beat[], at: number): Beat[] {
    const { config, services } = this.ctx
    for (const { id, beatMs, ageMs } of beats) services.runnerClocks.learn(id, beatMs, ageMs)
    this.ages.look(
      beats.map((beat) => ({ key: keyOf(beat), seconds: beat.ageMs / 1000 })),
      at,
    )
    // After a time without the database, the other servers get the time to write a beat.
    const now = performance.now()
    if (now - this.lastLook > LEASE_MS) this.lookingSince = now
    this.lastLook = now
    // The servers that used this embedded database before have ended.
    if (!config.databaseUrl) return beats
    if (now - this.lookingSince < LEASE_MS) return []
    return beats.filter((beat) => this.ages.of(keyOf(beat))! >= LEASE_MS)
  }
}

const keyOf = ({ id, beatMs }: Beat): string => `${id}:${beatMs}`
