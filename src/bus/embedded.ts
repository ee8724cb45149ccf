import { Counters } from '../util/counters.ts'
import type { Logger } from '../util/logger.ts'
import type { Bus } from './bus.ts'
import { LocalBus, STATE_TTL_MS } from './local.ts'

const SWEEP_MS = 10_000

/** The bus of a single server: function calls and maps. */
export function createEmbeddedBus(log: Logger, stateTtlMs = STATE_TTL_MS): Bus {
  const local = new LocalBus(log, stateTtlMs)
  const values = new Map<string, { value: string; expires: number }>()
  const counters = new Counters()
  const sweep = setInterval(() => {
    const now = performance.now()
    for (const [key, entry] of values) if (entry.expires <= now) values.delete(key)
    counters.sweep()
  }, SWEEP_MS)
  sweep.unref()

  return {
    kind: 'embedded',
    publish: ({ name }, payload) => local.deliver(name, payload),
    subscribe: (hint, handler) => local.subscribe(hint, handler),
    setState: (key, value) => local.setState(key, value),
    getState: (key) => local.getState(key),
    stateAge: (key) => local.stateAge(key),
    onState: (handler) => local.stateHandlers.push(handler),
    async put(key, value, ttlMs) {
      values.set(key, { value, expires: performance.now() + ttlMs })
    },
    async take(key) {
      const entry = values.get(key)
      values.delete(key)
      return entry && entry.expires > performance.now() ? entry.value : undefined
    },
    increment: (key, windowMs, max) => counters.increment(key, windowMs, max),
    decrement: (key) => counters.decrement(key),
    onGap() {},
    ping: async () => 0,
    async close() {
      clearInterval(sweep)
      local.close()
    },
  }
}
