/**
 * Values that servers have computed and may use again. A key says for which state of the data its value is right, so nothing is
 * ever invalidated: nobody asks for a value of an older state any more, and it ends after its time.
 */

/** Plain data, as JSON has it, or with dates in it. Nobody may change it, because all callers share it. */
export type Value = string | number | boolean | object

export interface Entry {
  /** Entries are counted and cleared by group. */
  group: string
  key: string
  ttlMs: number
}

export interface GroupStats {
  keys: number
  /** How often a value was there, and how often it had to be computed. */
  hits: number
  misses: number
}

export interface CacheStats {
  /** Whether Redis answers; false without Redis. */
  connected: boolean
  /** Bytes that Redis uses, or this process for the values when it has no Redis. */
  usedBytes: number
  /** All keys in Redis, or in this process. */
  keys: number
  groups: ReadonlyMap<string, GroupStats>
}

export interface Cache {
  readonly kind: 'memory' | 'redis'
  /** The kept value of a key, or what `compute` makes; callers of this server that ask at once share one computation. */
  read<T extends Value>(entry: Entry, compute: () => Promise<T>): Promise<T>
  /** Removes what this server and Redis keep of these groups. */
  clear(groups: readonly string[]): Promise<void>
  stats(): Promise<CacheStats>
  close(): Promise<void>
}
