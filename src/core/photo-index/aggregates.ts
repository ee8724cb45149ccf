import type { Bus } from '../../bus/bus.ts'
import { Lru } from '../../util/lru.ts'
import { photosChangedHint } from './hints.ts'

interface Kept {
  value: Promise<unknown>
  /** When it was asked for, by the monotonic clock. */
  at: number
}

const CAPACITY = 1000
/** A change of another server is seen after this time, also when its hint was lost. */
const FRESH_MS = 10_000

/**
 * Counts over many photos, such as the total of a list, kept until a photo changes. The server that changes one forgets
 * them with the commit, so that a client sees its own changes. Callers that ask at once share one count.
 */
export class PhotoAggregates {
  private kept = new Lru<string, Kept>(CAPACITY)

  constructor(bus: Bus) {
    bus.subscribe(photosChangedHint, () => this.forget())
    bus.onGap(() => this.forget())
  }

  /** @param key names what is counted, for which scope (`scopeOf`) and by which filters */
  async get<T>(key: string, count: () => Promise<T>): Promise<T> {
    const { kept } = this
    const known = kept.get(key)
    if (known && performance.now() - known.at < FRESH_MS) return known.value as Promise<T>
    // A query of Drizzle runs anew each time somebody awaits it, so its answer is kept.
    const entry = { value: (async () => count())(), at: performance.now() }
    kept.set(key, entry)
    entry.value.catch(() => {
      if (kept.get(key) === entry) kept.delete(key)
    })
    return entry.value
  }

  /** A count that is running may not see the change, so it stays in the old map, where no later caller finds it. */
  private forget(): void {
    this.kept = new Lru(CAPACITY)
  }
}
