import type { EnvReader } from './env.ts'

export interface LogsConfig {
  /** 0: no line of the log is stored in the database. */
  logKeepDays: number
}

export const readLogs = (env: EnvReader): LogsConfig => ({
  logKeepDays: env.integer('LOG_KEEP_DAYS', 30, 0, 3650),
})
