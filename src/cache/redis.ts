import { Redis } from 'ioredis'
import type { Logger } from '../util/logger.ts'
import type { Counter } from '../util/metrics.ts'
import { sha256 } from '../util/secrets.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import type { Cache, CacheStats, Entry, GroupStats, Value } from './cache.ts'
import { Layers, type Store } from './layers.ts'
import { addCounts, groupStats } from './memory.ts'
import { fromText, toText } from './text.ts'

/** How long a start waits for the connection. */
const START_MS = 1000
/** A request waits no longer for Redis, because computing is the alternative. */
const COMMAND_MS = 200
/** After a command without an answer, nobody asks Redis for this time. */
const REST_MS = 2000
/** Longer texts stay in the process: sending one would hold up those behind it. */
const MAX_TEXT = 1_000_000
const COUNTS_MS = 10_000
const DAY_SECONDS = 86_400

/**
 * The cache of several servers: the memory of each, and Redis behind it. While Redis does not answer, each server uses its own
 * memory alone.
 * @param epoch keeps apart the servers of several databases that share one Redis
 * @param version keeps apart the servers of one database that may not use each other's values
 */
export async function createRedisCache(
  url: string,
  { epoch, version }: { epoch: string; version: string },
  maxBytes: number,
  log: Logger,
  reads?: Counter,
): Promise<Cache> {
  const store = new RedisStore(url, `roost:${epoch}:cache-${version}:`, log)
  await store.open()
  const layers = new Layers(maxBytes, store, reads)
  /** Counts that Redis does not have yet. */
  const waiting = new Map<string, Omit<GroupStats, 'keys'>>()
  const sendCounts = async () => {
    addCounts(waiting, layers.takeCounts())
    if (waiting.size > 0 && (await store.addCounts(waiting))) waiting.clear()
  }
  const timer = setInterval(sendCounts, COUNTS_MS)
  timer.unref()
  return {
    kind: 'redis',
    read: (entry, compute) => layers.read(entry, compute),
    async clear(groups) {
      layers.clear(groups)
      await store.clear(groups)
    },
    async stats() {
      await sendCounts()
      const { bytes, keys, keysOf } = layers.sizes()
      const own = { connected: false, usedBytes: bytes, keys, groups: groupStats(keysOf, waiting) }
      return (await store.stats()) ?? own
    },
    async close() {
      clearInterval(timer)
      await sendCounts()
      store.close()
    },
  }
}

class RedisStore implements Store {
  private readonly client: Redis
  private restsUntil = 0

  constructor(
    url: string,
    private readonly prefix: string,
    private readonly log: Logger,
  ) {
    this.client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      retryStrategy: () => 500,
      connectTimeout: 5000,
      commandTimeout: COMMAND_MS,
    })
    // The bus tells the operator that Redis is away.
    this.client.on('error', (error: Error) => log.debug({ reason: error.message }, 'the cache has no Redis'))
  }

  async open(): Promise<void> {
    await waitAtMost(
      START_MS,
      this.client.connect().catch(() => {}),
    )
  }

  async get(entry: Entry): Promise<Value | undefined> {
    return this.ask(async (redis) => {
      const text = await redis.get(this.keyOf(entry))
      return text ? (fromText(text) as Value) : undefined
    })
  }

  set(entry: Entry, value: Value): void {
    const text = toText(value)
    if (text.length <= MAX_TEXT)
      void this.ask((redis) => redis.set(this.keyOf(entry), text, 'PX', entry.ttlMs))
  }

  async clear(groups: readonly string[]): Promise<void> {
    for (const group of groups) {
      await this.scan(`${this.prefix}${group}:*`, (keys) => this.ask((redis) => redis.unlink(...keys)))
    }
  }

  /** @returns whether Redis has them */
  async addCounts(counts: ReadonlyMap<string, Omit<GroupStats, 'keys'>>): Promise<boolean> {
    const key = this.countsKey()
    const answer = await this.ask((redis) => {
      const commands = redis.multi()
      for (const [group, { hits, misses }] of counts)
        commands.hincrby(key, `${group} hits`, hits).hincrby(key, `${group} misses`, misses)
      // The rates are those of a day at most.
      return commands.expire(key, DAY_SECONDS, 'NX').exec()
    })
    return Boolean(answer)
  }

  /** Undefined when Redis does not answer. */
  async stats(): Promise<CacheStats | undefined> {
    const info = await this.ask((redis) => redis.info('memory'))
    const keys = await this.ask((redis) => redis.dbsize())
    const counted = await this.ask((redis) => redis.hgetall(this.countsKey()))
    if (info === undefined || keys === undefined || counted === undefined) return undefined
    const keysOf = new Map<string, number>()
    await this.scan(`${this.prefix}*`, (found) => {
      for (const key of found) {
        const group = key.slice(this.prefix.length, key.lastIndexOf(':'))
        keysOf.set(group, (keysOf.get(group) ?? 0) + 1)
      }
    })
    const counts = new Map<string, Omit<GroupStats, 'keys'>>()
    for (const [field, value] of Object.entries(counted)) {
      const [group = '', what] = field.split(' ')
      counts.set(group, { ...(counts.get(group) ?? { hits: 0, misses: 0 }), [what!]: Number(value) })
    }
    const usedBytes = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0)
    return { connected: true, usedBytes, keys, groups: groupStats(keysOf, counts) }
  }

  close(): void {
    this.client.disconnect()
  }

  private keyOf({ group, key }: Entry): string {
    return `${this.prefix}${group}:${sha256(key)}`
  }

  /** Not under the prefix of the values. */
  private countsKey(): string {
    return `${this.prefix.slice(0, -1)}-counts`
  }

  private async scan(match: string, found: (keys: string[]) => unknown): Promise<void> {
    let cursor = '0'
    do {
      const step = await this.ask((redis) => redis.scan(cursor, 'MATCH', match, 'COUNT', 1000))
      if (!step) return
      if (step[1].length > 0) await found(step[1])
      cursor = step[0]
    } while (cursor !== '0')
  }

  /** @returns undefined when Redis does not answer in time, or has not a moment ago */
  private async ask<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (performance.now() < this.restsUntil) return undefined
    try {
      return await command(this.client)
    } catch (error) {
      this.restsUntil = performance.now() + REST_MS
      this.log.debug({ err: error }, 'the cache does without Redis for a moment')
      return undefined
    }
  }
}
