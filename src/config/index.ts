/**
 * Makes the configuration from the environment, in two steps: read every variable with its type, one file for each
 * part; then refuse contradictions between parts. One message names every mistake.
 */
import { type AccountsConfig, readAccounts } from './accounts.ts'
import { type AuditConfig, readAudit } from './audit.ts'
import { type BackupConfig, readBackup } from './backup.ts'
import { type BusConfig, readBus } from './bus.ts'
import { type CoursesConfig, readCourses } from './courses.ts'
import { type DatabaseConfig, readDatabase } from './database.ts'
import { ConfigError, type Env, EnvReader } from './env.ts'
import { type HttpConfig, readHttp } from './http.ts'
import { type LimitsConfig, readLimits } from './limits.ts'
import { type LogsConfig, readLogs } from './logs.ts'
import { type MailConfig, readMail } from './mail.ts'
import { type ModelConfig, readModel } from './model.ts'
import { readServer, type ServerConfig } from './server.ts'
import { readStorage, type StorageConfig } from './storage.ts'
import { readStudy, type StudyConfig } from './study.ts'
import { readWebhooks, type WebhooksConfig } from './webhooks.ts'

export interface Config
  extends ServerConfig,
    HttpConfig,
    DatabaseConfig,
    BusConfig,
    StorageConfig,
    MailConfig,
    ModelConfig,
    AccountsConfig,
    AuditConfig,
    LimitsConfig,
    LogsConfig,
    StudyConfig,
    WebhooksConfig,
    CoursesConfig,
    BackupConfig {}

/** @throws ConfigError with every mistake */
export function readConfig(variables: Env): Config {
  const env = new EnvReader(variables)
  const config: Config = {
    ...readServer(env),
    ...readHttp(env),
    ...readDatabase(env),
    ...readBus(env),
    ...readStorage(env),
    ...readMail(env),
    ...readModel(env),
    ...readAccounts(env),
    ...readAudit(env),
    ...readLimits(env),
    ...readLogs(env),
    ...readStudy(env),
    ...readWebhooks(env),
    ...readCourses(env),
    ...readBackup(env),
  }
  const mistakes = [...env.mistakes, ...contradictions(config)]
  if (mistakes.length > 0) {
    throw new ConfigError(`The environment is not right:\n${mistakes.map((m) => `  - ${m}`).join('\n')}`)
  }
  return config
}

function* contradictions({ production, jwtSecret, admin, passwordMinLength }: Config): Generator<string> {
  if (production && !jwtSecret) yield 'JWT_SECRET is required when NODE_ENV=production'
  if (admin.password && admin.password.length < passwordMinLength) {
    yield `ADMIN_PASSWORD must have at least ${passwordMinLength} characters`
  }
}
