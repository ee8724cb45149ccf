import type { Bus } from '../../bus/bus.ts'
import { Lru } from '../../util/lru.ts'
import { photosChangedHint } from './hints.ts'

interface Kept {
  value: Promise<unknown>
  /** When it was asked for, by the monotonic clock. */
  at: number
}

const CAPACITY = 1000
/** A change of another server whose hint was lost is seen after this time. */
const FRESH_MS = 10_000

/**
 * Counts over many photos, such as the total of a list, kept until a photo changes. The server that changes one forgets
 * them with the commit, so that a client sees its own changes.
 */
export class PhotoAggregates {
  private kept = new Lru<string, Kept>(CAPACITY)

  constructor(bus: Bus) {
    bus.subscribe(photosChangedHint, () => {
      this.kept = new Lru(CAPACITY)
    })
  }

  /** @param key names what is counted, for which scope (`scopeOf`) and by which filters */
  async get<T>(key: string, count: () => Promise<T>): Promise<T> {
    const { kept } = this
    const known = kept.get(key)
    if (known && performance.now() - known.at < FRESH_MS) return known.value as Promise<T>
    const value = count()
    kept.set(key, { value, at: performance.now() })
    value.catch(() => kept.delete(key))
    return value
  }
}
