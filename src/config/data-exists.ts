import { existsSync } from 'node:fs'
import { StartupError } from '../util/startup-error.ts'
import type { Config } from './index.ts'

/** For commands of the operator: a mistyped DATA_DIR would become a new database, with an administrator of its own. */
export function assertDataExists({ databaseUrl, dataDir }: Config): void {
  if (databaseUrl === undefined && !existsSync(dataDir))
    throw new StartupError(`There is no data directory ${dataDir}. Set DATA_DIR as the server has it.`)
}
