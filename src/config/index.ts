/**
 * The only reader of the environment. Two steps: read every variable as text and type it, collecting all
 * mistakes; then refuse contradictions. One message names everything that is wrong.
 */
import { BlockList, isIP } from 'node:net'
import { StartupError } from '../util/startup-error.ts'

export interface Config {
  production: boolean
  host: string
  port: number
  dataDir: string
  /** Origin under which clients reach this server, no trailing slash; undefined: derived from the request. */
  publicUrl: string | undefined
  /** Undefined: the embedded PGlite in `dataDir`. */
  databaseUrl: string | undefined
  redisUrl: string | undefined
  /** Undefined: files under `dataDir`. */
  s3: S3Config | undefined
  /** Undefined: made once and kept in `dataDir`. */
  jwtSecret: string | undefined
  accessTokenMinutes: number
  passwordMinLength: number
  admin: { email: string; password: string | undefined }
  /** Browser origins, besides the server's own, that may call the API and open sockets. */
  allowedOrigins: string[]
  /** Whose word on a client's address counts. */
  trustedProxies: BlockList
  rateLimits: boolean
  /** Undefined: one `.eml` file per message in `dataDir`/outbox. */
  smtpUrl: string | undefined
  /** The sender of every mail, as in a From header. */
  mailFrom: string
  /** Undefined: the built-in agent answers, without a model. */
  llm: LlmConfig | undefined
  logLevel: LogLevel
  nodeHeartbeatSeconds: number
  /** How many uploads one user may have under way at the same time. */
  uploadsPerUser: number
}

export interface S3Config {
  /** Undefined: Amazon's own. */
  endpoint: string | undefined
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  /** Where clients can fetch the bucket's objects, no trailing slash; undefined: the server passes them on. */
  publicUrl: string | undefined
}

/** An OpenAI-compatible API. */
export interface LlmConfig {
  /** Up to and with its version, as in `https://api.openai.com/v1`; no trailing slash. */
  baseUrl: string
  apiKey: string | undefined
  model: string
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const S3_VARIABLES = [
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'S3_PUBLIC_URL',
]

/** Every mistake in the environment, one per line of `message`; shown to the operator as it is. */
export class ConfigError extends StartupError {
  override name = 'ConfigError'
}

const OPENAI = 'https://api.openai.com/v1'

type Env = Record<string, string | undefined>

export function readConfig(env: Env): Config {
  const mistakes: string[] = []
  const text = (name: string) => env[name]?.trim() || undefined
  const list = (name: string) =>
    (text(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)

  const oneOf = <T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = text(name) ?? fallback
    if (allowed.includes(value as T)) return value as T
    mistakes.push(`${name} must be one of ${allowed.join(', ')}`)
    return fallback
  }
  const integer = (name: string, fallback: number, min: number, max: number) => {
    const value = Number(text(name) ?? fallback)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    mistakes.push(`${name} must be a whole number from ${min} to ${max}`)
    return fallback
  }
  // The value is never quoted back: these URLs carry passwords.
  const url = (name: string, protocols: string[]) => {
    const value = text(name)
    if (!value) return undefined
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value
    mistakes.push(`${name} must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`)
    return undefined
  }

  // All or nothing: one forgotten variable must not quietly put files on the server's own disk.
  const s3 = (): S3Config | undefined => {
    if (!S3_VARIABLES.some(text)) return undefined
    const required = (name: string) => {
      const value = text(name)
      if (!value) mistakes.push(`${name} is required when any S3_ variable is set`)
      return value ?? ''
    }
    const bucket = required('S3_BUCKET')
    if (bucket && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
      mistakes.push('S3_BUCKET must be a bucket name: 3 to 63 lower-case letters, digits, hyphens and dots')
    }
    return {
      endpoint: url('S3_ENDPOINT', ['http:', 'https:'])?.replace(/\/+$/, ''),
      region: text('S3_REGION') ?? 'us-east-1',
      bucket,
      accessKeyId: required('S3_ACCESS_KEY_ID'),
      secretAccessKey: required('S3_SECRET_ACCESS_KEY'),
      publicUrl: url('S3_PUBLIC_URL', ['http:', 'https:'])?.replace(/\/+$/, ''),
    }
  }

  const llm = (): LlmConfig | undefined => {
    if (!['LLM_BASE_URL', 'LLM_API_KEY', 'LLM_MODEL'].some(text)) return undefined
    const model = text('LLM_MODEL')
    if (!model) mistakes.push('LLM_MODEL is required when any LLM_ variable is set')
    return {
      baseUrl: url('LLM_BASE_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? OPENAI,
      apiKey: text('LLM_API_KEY'),
      model: model ?? '',
    }
  }

  const production = text('NODE_ENV') === 'production'
  const config: Config = {
    production,
    host: text('HOST') ?? '0.0.0.0',
    port: integer('PORT', 8000, 0, 65535),
    dataDir: text('DATA_DIR') ?? './data',
    publicUrl: url('PUBLIC_URL', ['http:', 'https:'])?.replace(/\/+$/, ''),
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    s3: s3(),
    jwtSecret: text('JWT_SECRET'),
    accessTokenMinutes: integer('ACCESS_TOKEN_EXPIRE_MINUTES', 30, 1, 1440),
    passwordMinLength: integer('PASSWORD_MIN_LENGTH', 6, 6, 128),
    admin: { email: text('ADMIN_EMAIL') ?? 'admin@example.com', password: text('ADMIN_PASSWORD') },
    allowedOrigins: [],
    trustedProxies: new BlockList(),
    rateLimits: oneOf('RATE_LIMITS', ['on', 'off'], 'on') === 'on',
    smtpUrl: url('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: text('MAIL_FROM') ?? 'Roost <no-reply@localhost>',
    llm: llm(),
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    nodeHeartbeatSeconds: integer('NODE_HEARTBEAT_SECONDS', 5, 1, 300),
    uploadsPerUser: integer('UPLOADS_PER_USER', 10, 1, 1000),
  }
  for (const origin of list('ALLOWED_ORIGINS')) {
    if (URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol)) {
      config.allowedOrigins.push(new URL(origin).origin)
    } else {
      mistakes.push('ALLOWED_ORIGINS must list origins like https://app.example.com, separated by commas')
    }
  }

  for (const range of list('TRUSTED_PROXIES')) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const [family, most] = isIP(address) === 6 ? (['ipv6', 128] as const) : (['ipv4', 32] as const)
    if (isIP(address) && Number(bits ?? most) <= most) {
      config.trustedProxies.addSubnet(address, Number(bits ?? most), family)
    } else {
      mistakes.push('TRUSTED_PROXIES must list addresses or ranges like 10.0.0.0/8, separated by commas')
    }
  }

  if (production && !config.jwtSecret) mistakes.push('JWT_SECRET is required when NODE_ENV=production')
  if (config.jwtSecret && config.jwtSecret.length < 32) {
    mistakes.push('JWT_SECRET must have at least 32 characters')
  }
  if (!/^[^<>\s@]+@[^<>\s@]+$|<[^<>\s@]+@[^<>\s@]+>$/.test(config.mailFrom)) {
    mistakes.push('MAIL_FROM must be an address, as in Roost <no-reply@example.com>')
  }
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(config.admin.email)) {
    mistakes.push('ADMIN_EMAIL must be an email address')
  }
  if (config.admin.password && config.admin.password.length < config.passwordMinLength) {
    mistakes.push(`ADMIN_PASSWORD must have at least ${config.passwordMinLength} characters`)
  }
  if (mistakes.length > 0) {
    throw new ConfigError(`The environment is not right:\n${mistakes.map((m) => `  - ${m}`).join('\n')}`)
  }
  return config
}
