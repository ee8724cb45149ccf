import { eq, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { settings } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

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

const ROW = 'system'
const FRESH_MS = 2000

/** The system configuration, from memory when this server has read it within the last two seconds. */
export class Settings {
  private known: { value: SystemConfig; at: number } | undefined
  /** Grows with every update, so that a read that began before an update does not bring back the old values. */
  private updates = 0

  /** @param db inside a transaction, the `db` of that transaction */
  async current(db: Db): Promise<SystemConfig> {
    if (this.known && performance.now() - this.known.at < FRESH_MS) return this.known.value
    const { updates } = this
    const value = fromStored(await readStored(db))
    if (updates === this.updates) this.known = { value, at: performance.now() }
    return value
  }

  /** Takes effect on this server at once, and on other servers within two seconds. */
  async update(db: Db, change: Partial<SystemConfig>): Promise<SystemConfig> {
    // The database merges, so that a concurrent update of other settings, or a setting of a newer server, is not lost.
    const [row] = await db
      .insert(settings)
      .values({ key: ROW, value: toStored(change) })
      .onConflictDoUpdate({ target: settings.key, set: { value: sql`${settings.value} || excluded.value` } })
      .returning()
    this.updates++
    this.known = undefined
    return fromStored(row!.value as StoredSystemConfig)
  }
}

export const systemConfig = (ctx: Context): Promise<SystemConfig> => ctx.services.settings.current(ctx.db)

export const updateSystemConfig = (ctx: Context, change: Partial<SystemConfig>): Promise<SystemConfig> =>
  ctx.services.settings.update(ctx.db, change)

async function readStored(db: Db): Promise<StoredSystemConfig> {
  const [row] = await db.select().from(settings).where(eq(settings.key, ROW))
  return (row?.value ?? {}) as StoredSystemConfig
}

const fromStored = (stored: StoredSystemConfig): SystemConfig => ({
  maxConcurrentTasksPerUser: stored.max_concurrent_tasks_per_user ?? DEFAULTS.maxConcurrentTasksPerUser,
  defaultTaskTimeout: stored.default_task_timeout ?? DEFAULTS.defaultTaskTimeout,
  maintenanceMode: stored.maintenance_mode ?? DEFAULTS.maintenanceMode,
  taskPrices: stored.task_prices ?? DEFAULTS.taskPrices,
})

/** JSON leaves out the settings that are undefined. */
const toStored = (change: Partial<SystemConfig>): Record<keyof StoredSystemConfig, unknown> => ({
  max_concurrent_tasks_per_user: change.maxConcurrentTasksPerUser,
  default_task_timeout: change.defaultTaskTimeout,
  maintenance_mode: change.maintenanceMode,
  task_prices: change.taskPrices,
})
