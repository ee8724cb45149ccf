import { LRUCache } from 'lru-cache'
import type { Counter } from '../util/metrics.ts'
import type { Entry, GroupStats, Value } from './cache.ts'
import { sizeOf } from './size.ts'

/** Values that several servers share. It never rejects: without the store, a server computes. */
export interface Store {
  get(entry: Entry): Promise<Value | undefined>
  /** Nobody waits for it. */
  set(entry: Entry, value: Value): void
}

const BYTES_OF_KEY = 200

/** The memory of this process, bounded by bytes, and behind it the store of all servers, if there is one. */
export class Layers {
  private readonly kept: LRUCache<string, Value>
  /** By key, what is being computed now. */
  private readonly running = new Map<string, Promise<Value>>()
  /** Since the last `takeCounts`. */
  private counts = new Map<string, { hits: number; misses: number }>()

  constructor(
    maxBytes: number,
    private readonly store?: Store,
    /** Counts reads, by group and `hit` or `miss`. */
    private readonly reads?: Counter,
  ) {
    this.kept = new LRUCache({ maxSize: maxBytes })
  }

  async read<T extends Value>(entry: Entry, compute: () => Promise<T>): Promise<T> {
    const name = nameOf(entry.group, entry.key)
    const known = this.kept.get(name) ?? this.running.get(name)
    if (known !== undefined) {
      this.count(entry.group, true)
      return known as T | Promise<T>
    }
    const computed = this.load(entry, compute)
    this.running.set(name, computed)
    try {
      const value = await computed
      // After a `clear` the value may be older than what the caller of `clear` has changed.
      if (this.running.get(name) === computed)
        this.kept.set(name, value, { ttl: entry.ttlMs, size: sizeOf(value) + name.length + BYTES_OF_KEY })
      return value as T
    } finally {
      if (this.running.get(name) === computed) this.running.delete(name)
    }
  }

  clear(groups: readonly string[]): void {
    for (const entries of [this.kept, this.running]) {
      for (const name of [...entries.keys()]) if (groups.includes(groupOf(name))) entries.delete(name)
    }
  }

  /** Without the entries whose time has ended. */
  sizes(): { bytes: number; keys: number; keysOf: ReadonlyMap<string, number> } {
    this.kept.purgeStale()
    const keysOf = new Map<string, number>()
    for (const name of this.kept.keys()) {
      const group = groupOf(name)
      keysOf.set(group, (keysOf.get(group) ?? 0) + 1)
    }
    return { bytes: this.kept.calculatedSize, keys: this.kept.size, keysOf }
  }

  takeCounts(): ReadonlyMap<string, Omit<GroupStats, 'keys'>> {
    const { counts } = this
    this.counts = new Map()
    return counts
  }

  private async load(entry: Entry, compute: () => Promise<Value>): Promise<Value> {
    const known = await this.store?.get(entry)
    this.count(entry.group, known !== undefined)
    if (known !== undefined) return known
    const value = await compute()
    this.store?.set(entry, value)
    return value
  }

  private count(group: string, isHit: boolean): void {
    const counts = this.counts.getOrInsertComputed(group, () => ({ hits: 0, misses: 0 }))
    if (isHit) counts.hits++
    else counts.misses++
    const cell = this.reads?.of(group, isHit ? 'hit' : 'miss')
    if (cell) cell.value++
  }
}

const nameOf = (group: string, key: string): string => `${group} ${key}`
const groupOf = (name: string): string => name.slice(0, name.indexOf(' '))
