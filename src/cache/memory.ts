import type { Counter } from '../util/metrics.ts'
import type { Cache, GroupStats } from './cache.ts'
import { Layers } from './layers.ts'

/** The cache of a single server, in its memory. */
export function createMemoryCache(maxBytes: number, reads?: Counter): Cache {
  const layers = new Layers(maxBytes, undefined, reads)
  const counted = new Map<string, Omit<GroupStats, 'keys'>>()
  return {
    kind: 'memory',
    read: (entry, compute) => layers.read(entry, compute),
    async clear(groups) {
      layers.clear(groups)
    },
    async stats() {
      addCounts(counted, layers.takeCounts())
      const { bytes, keys, keysOf } = layers.sizes()
      return { connected: false, usedBytes: bytes, keys, groups: groupStats(keysOf, counted) }
    },
    async close() {},
  }
}

export function addCounts(
  sums: Map<string, Omit<GroupStats, 'keys'>>,
  counts: ReadonlyMap<string, Omit<GroupStats, 'keys'>>,
): void {
  for (const [group, { hits, misses }] of counts) {
    const sum = sums.get(group)
    sums.set(group, { hits: hits + (sum?.hits ?? 0), misses: misses + (sum?.misses ?? 0) })
  }
}

export function groupStats(
  keysOf: ReadonlyMap<string, number>,
  counts: ReadonlyMap<string, Omit<GroupStats, 'keys'>>,
): Map<string, GroupStats> {
  const groups = new Set([...keysOf.keys(), ...counts.keys()])
  return new Map(
    [...groups].map((group) => [
      group,
      { keys: keysOf.get(group) ?? 0, ...(counts.get(group) ?? { hits: 0, misses: 0 }) },
    ]),
  )
}
