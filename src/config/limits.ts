import type { EnvReader } from './env.ts'

export interface LimitsConfig {
  rateLimits: boolean
  /** How many uploads one user may have under way at the same time. */
  uploadsPerUser: number
  nodeHeartbeatSeconds: number
}

export const readLimits = (env: EnvReader): LimitsConfig => ({
  rateLimits: env.oneOf('RATE_LIMITS', ['on', 'off'], 'on') === 'on',
  uploadsPerUser: env.integer('UPLOADS_PER_USER', 10, 1, 1000),
  nodeHeartbeatSeconds: env.integer('NODE_HEARTBEAT_SECONDS', 5, 1, 300),
})
