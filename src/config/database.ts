import type { EnvReader } from './env.ts'

export interface DatabaseConfig {
  /** Undefined: the embedded PGlite in `dataDir`. */
  databaseUrl: string | undefined
}

export const readDatabase = (env: EnvReader): DatabaseConfig => ({
  databaseUrl: env.url('DATABASE_URL', ['postgres:', 'postgresql:']),
})
