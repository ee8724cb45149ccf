import type { EnvReader } from './env.ts'

export interface AccountsConfig {
  /** Undefined: made once and kept in `dataDir`. */
  jwtSecret: string | undefined
  accessTokenMinutes: number
  passwordMinLength: number
  /** A page of the operator on which users set a new password: the target of a mail's link when the request names no page. */
  passwordResetUrl: string | undefined
  /** The first administrator; without a password, the first start makes one up. */
  admin: { email: string; password: string | undefined }
}

const MIN_SECRET_LENGTH = 32

export function readAccounts(env: EnvReader): AccountsConfig {
  const config: AccountsConfig = {
    jwtSecret: env.text('JWT_SECRET'),
    accessTokenMinutes: env.integer('ACCESS_TOKEN_EXPIRE_MINUTES', 30, 1, 1440),
    passwordMinLength: env.integer('PASSWORD_MIN_LENGTH', 6, 6, 128),
    passwordResetUrl: env.url('PASSWORD_RESET_URL', ['http:', 'https:']),
    admin: {
      email: env.text('ADMIN_EMAIL') ?? 'admin@example.com',
      password: env.text('ADMIN_PASSWORD'),
    },
  }
  if (config.jwtSecret && config.jwtSecret.length < MIN_SECRET_LENGTH) {
    env.mistakes.push(`JWT_SECRET must have at least ${MIN_SECRET_LENGTH} characters`)
  }
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(config.admin.email)) {
    env.mistakes.push('ADMIN_EMAIL must be an email address')
  }
  return config
}
