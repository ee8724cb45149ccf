import { eq } from 'drizzle-orm'
import { settings } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

/** What administrators may change at run time: docs/contracts/factory.md, "System configuration". */
export interface SystemConfig {
  /** Unfinished tasks (pending, running, paused) that one user may have. */
  max_concurrent_tasks_per_user: number
  /** Seconds of running after which a task fails. */
  default_task_timeout: number
  maintenance_mode: boolean
  /** Price per minute of running, in minor units, by task type; a type that is not named is free. */
  task_prices: Record<string, number>
}

export const DEFAULT_SYSTEM_CONFIG: SystemConfig = {
  max_concurrent_tasks_per_user: 100,
  default_task_timeout: 3600,
  maintenance_mode: false,
  task_prices: {},
}

const FRESH_MS = 2000
const cached = new WeakMap<object, { value: SystemConfig; at: number }>()

/** The configuration as it is stored, from memory when read within the last two seconds. */
export async function systemConfig(ctx: Context): Promise<SystemConfig> {
  const known = cached.get(ctx.bus)
  if (known && performance.now() - known.at < FRESH_MS) return known.value
  const [row] = await ctx.db.select().from(settings).where(eq(settings.key, 'system'))
  const value = { ...DEFAULT_SYSTEM_CONFIG, ...(row?.value as Partial<SystemConfig> | undefined) }
  cached.set(ctx.bus, { value, at: performance.now() })
  return value
}

/** Effective on this server at once, on others within two seconds. */
export async function updateSystemConfig(ctx: Context, change: Partial<SystemConfig>): Promise<SystemConfig> {
  cached.delete(ctx.bus)
  const value = { ...(await systemConfig(ctx)), ...change }
  await ctx.db
    .insert(settings)
    .values({ key: 'system', value })
    .onConflictDoUpdate({ target: settings.key, set: { value } })
  cached.delete(ctx.bus)
  return value
}
