import type { EnvReader } from './env.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export interface ServerConfig {
  production: boolean
  host: string
  port: number
  /** Holds what a part that is not configured keeps on disk. */
  dataDir: string
  logLevel: (typeof LOG_LEVELS)[number]
}

export const readServer = (env: EnvReader): ServerConfig => ({
  production: env.text('NODE_ENV') === 'production',
  host: env.text('HOST') ?? '0.0.0.0',
  port: env.integer('PORT', 8000, 0, 65535),
  dataDir: env.text('DATA_DIR') ?? './data',
  logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
})
