import type { EnvReader } from './env.ts'

/** At most `max` requests from the first one until `seconds` later. */
export interface RequestLimit {
  max: number
  seconds: number
}

/** The classes of routes under `/v1`, with the limit of each: docs/contracts/portfolio.md, "Rate limits". */
const REQUEST_LIMITS = {
  auth: { max: 5, seconds: 60 },
  upload: { max: 10, seconds: 60 },
  transfer: { max: 6000, seconds: 60 },
  search: { max: 60, seconds: 60 },
  general: { max: 1000, seconds: 3600 },
  admin: { max: 500, seconds: 3600 },
} satisfies Record<string, RequestLimit>

export type LimitClass = keyof typeof REQUEST_LIMITS

export interface LimitsConfig {
  rateLimits: boolean
  requestLimits: Record<LimitClass, RequestLimit>
  /** How many uploads one user may have under way at the same time. */
  uploadsPerUser: number
  nodeHeartbeatSeconds: number
}

export const readLimits = (env: EnvReader): LimitsConfig => ({
  rateLimits: env.oneOf('RATE_LIMITS', ['on', 'off'], 'on') === 'on',
  requestLimits: readRequestLimits(env),
  uploadsPerUser: env.integer('UPLOADS_PER_USER', 10, 1, 1000),
  nodeHeartbeatSeconds: env.integer('NODE_HEARTBEAT_SECONDS', 5, 1, 300),
})

/** Such as `general=5000/3600,search=120/60`: requests and seconds. */
function readRequestLimits(env: EnvReader): LimitsConfig['requestLimits'] {
  const limits = { ...REQUEST_LIMITS }
  for (const entry of env.list('REQUEST_LIMITS')) {
    const [, name = '', max, seconds] = /^(\w+)=([1-9]\d{0,8})\/([1-9]\d{0,4})$/.exec(entry) ?? []
    if (Object.hasOwn(limits, name) && Number(seconds) <= 86_400) {
      limits[name as LimitClass] = { max: Number(max), seconds: Number(seconds) }
    } else {
      const names = Object.keys(limits).join(', ')
      env.mistakes.push(
        `REQUEST_LIMITS must list limits like general=5000/3600 (requests/seconds, at most 86400), separated by commas; the names are ${names}`,
      )
    }
  }
  return limits
}
