import { sql } from 'drizzle-orm'
import type { Core } from './context.ts'

export interface ComponentHealth {
  healthy: boolean
  /** Of one round trip, in ms. */
  latencyMs: number
}

const TIMEOUT_MS = 3000

/** Asks each part that is in use, embedded ones too; never rejects. */
export async function checkHealth(
  ctx: Core,
): Promise<Record<'database' | 'bus' | 'storage', ComponentHealth>> {
  const [database, bus, storage] = await Promise.all([
    probe(() => ctx.db.execute(sql`select 1`)),
    probe(() => ctx.bus.ping()),
    probe(() => ctx.storage.ping()),
  ])
  return { database, bus, storage }
}

async function probe(ask: () => PromiseLike<unknown>): Promise<ComponentHealth> {
  const start = performance.now()
  const late = Bun.sleep(TIMEOUT_MS).then(() => false)
  const healthy = await Promise.race([Promise.resolve(ask()).then(() => true), late]).catch(() => false)
  return { healthy, latencyMs: performance.now() - start }
}
