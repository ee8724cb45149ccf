import type { Config } from '../../config/index.ts'
import { camelKeys, snakeKeys } from '../../util/case.ts'
import { type AuditedBy, audit, fieldsOf } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { readSite, type SiteSettings } from './site-definitions.ts'
import { type Stored, StoredSettings } from './stored-settings.ts'

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

const readSystem = (stored: Stored): SystemConfig => ({
  ...DEFAULTS,
  ...(camelKeys(stored) as Partial<SystemConfig>),
})

/** Only one server uses an embedded database. */
export const openSettings = ({ databaseUrl }: Pick<Config, 'databaseUrl'>): Settings => ({
  system: new StoredSettings('system', readSystem, databaseUrl !== undefined),
  site: new StoredSettings('site', readSite, databaseUrl !== undefined),
})

export const systemConfig = (ctx: Context): Promise<SystemConfig> => ctx.services.settings.system.current(ctx)

/** What a change names. A price of null ends, so that the type is free; prices that are not named stay. */
export interface SystemConfigChange {
  maxConcurrentTasksPerUser?: number | undefined
  defaultTaskTimeout?: number | undefined
  maintenanceMode?: boolean | undefined
  taskPrices?: Record<string, number | null> | undefined
}

/** Changes the settings that are given. Every server acts by the change when this returns. */
export async function updateSystemConfig(
  ctx: Context,
  by: AuditedBy,
  change: SystemConfigChange,
): Promise<SystemConfig> {
  const { system } = ctx.services.settings
  const fields = fieldsOf(change)
  if (fields.length === 0) return system.shown(ctx)
  return system.change(ctx, async (tx, stored) => {
    const before = readSystem(stored)
    const after = withChange(before, change)
    const details = { fields, before: namedIn(change, before), after: namedIn(change, after) }
    audit(tx, by, { action: 'settings.updated', details })
    const changed = Object.entries(snakeKeys({ ...after })).filter(([name]) => fields.includes(name))
    // What a newer server has stored is kept.
    return { ...stored, ...Object.fromEntries(changed) }
  })
}

const withChange = (
  before: SystemConfig,
  { taskPrices = {}, ...change }: SystemConfigChange,
): SystemConfig => ({
  maxConcurrentTasksPerUser: change.maxConcurrentTasksPerUser ?? before.maxConcurrentTasksPerUser,
  defaultTaskTimeout: change.defaultTaskTimeout ?? before.defaultTaskTimeout,
  maintenanceMode: change.maintenanceMode ?? before.maintenanceMode,
  taskPrices: pricesOf({ ...before.taskPrices, ...taskPrices }),
})

const pricesOf = (prices: Record<string, number | null>): Record<string, number> =>
  Object.fromEntries(Object.entries(prices).filter((entry): entry is [string, number] => entry[1] !== null))

/** The values of what a change names, for the audit log. */
const namedIn = (change: SystemConfigChange, { taskPrices, ...config }: SystemConfig) => ({
  ...Object.fromEntries(
    Object.entries(config).filter(([name]) => change[name as keyof SystemConfigChange] !== undefined),
  ),
  ...(change.taskPrices && {
    taskPrices: Object.fromEntries(
      Object.keys(change.taskPrices).map((type) => [
        type,
        Object.hasOwn(taskPrices, type) ? taskPrices[type]! : null,
      ]),
    ),
  }),
})
