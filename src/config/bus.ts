import type { EnvReader } from './env.ts'

export interface BusConfig {
  /** Undefined: the embedded bus, for a single server. */
  redisUrl: string | undefined
}

export const readBus = (env: EnvReader): BusConfig => ({
  redisUrl: env.url('REDIS_URL', ['redis:', 'rediss:']),
})
