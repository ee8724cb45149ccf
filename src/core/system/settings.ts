import type { Config } from '../../config/index.ts'
import { camelKeys, snakeKeys } from '../../util/case.ts'
import type { Context } from '../context.ts'
import { readSite, type SiteSettings } from './site-definitions.ts'
import { StoredSettings } from './stored-settings.ts'

/** What administrators can change while the server runs: docs/contracts/factory.md, "System configuration". */
export interface SystemConfig {
  /** Unfinished tasks (pending, running, paused) that one user may have. */
  maxConcurrentTasksPerUser: number
  /** Seconds of running after which a task fails. */
  defaultTaskTimeout: number
  maintenanceMode: boolean
  /** Price per minute of running, in minor units, by task type. A type without a price is free. */
  taskPrices: Record<string, number>
}

const DEFAULTS: SystemConfig = {
  maxConcurrentTasksPerUser: 100,
  defaultTaskTimeout: 3600,
  maintenanceMode: false,
  taskPrices: {},
}

/** The stored JSON. A setting that is missing has its default. */
export interface StoredSystemConfig {
  max_concurrent_tasks_per_user?: number
  default_task_timeout?: number
  maintenance_mode?: boolean
  task_prices?: Record<string, number>
}

/** The settings that administrators change at run time. */
export interface Settings {
  readonly system: StoredSettings<SystemConfig>
  readonly site: StoredSettings<SiteSettings>
}

/** Only one server uses an embedded database. */
export const openSettings = ({ databaseUrl }: Pick<Config, 'databaseUrl'>): Settings => ({
  system: new StoredSettings(
    'system',
    (stored) => ({ ...DEFAULTS, ...(camelKeys(stored) as Partial<SystemConfig>) }),
    databaseUrl !== undefined,
  ),
  site: new StoredSettings('site', readSite, databaseUrl !== undefined),
})

export const systemConfig = (ctx: Context): Promise<SystemConfig> => ctx.services.settings.system.current(ctx)

export const updateSystemConfig = (ctx: Context, change: Partial<SystemConfig>): Promise<SystemConfig> =>
  // What a newer server has stored is kept.
  ctx.services.settings.system.change(ctx, async (_, stored) => ({ ...stored, ...snakeKeys({ ...change }) }))
