import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'

export interface ComponentHealth {
  healthy: boolean
  /** Of one round trip, in ms. */
  latencyMs: number
}

const TIMEOUT_MS = 3000

const PROBES = {
  database: (ctx: Context) => ctx.db.execute(sql`select 1`),
  bus: (ctx: Context) => ctx.bus.ping(),
  storage: (ctx: Context) => ctx.storage.ping(),
  mail: (ctx: Context) => ctx.mailer.ping(),
}
export type Component = keyof typeof PROBES

export const COMPONENTS = ['database', 'bus', 'storage', 'mail'] as const satisfies Component[]

/**
 * Whether this server can serve requests, for load balancers. Only the database decides: without Redis events come by
 * polling, mails wait in their queue, and without the object storage everything but files works. A load balancer that
 * takes every server out for one of these ends what still works.
 */
export const canServe = async (ctx: Context): Promise<boolean> =>
  (await checkHealth(ctx, ['database'])).database.healthy

/** Asks these parts as they are in use, embedded ones too; never rejects. */
export async function checkHealth<C extends Component>(
  ctx: Context,
  components: readonly C[],
): Promise<Record<C, ComponentHealth>> {
  const answers = await Promise.all(components.map((name) => probe(() => PROBES[name](ctx))))
  return Object.fromEntries(components.map((name, i) => [name, answers[i]])) as Record<C, ComponentHealth>
}

export const allHealthy = (components: Record<string, ComponentHealth>): boolean =>
  Object.values(components).every(({ healthy }) => healthy)

async function probe(ask: () => PromiseLike<unknown>): Promise<ComponentHealth> {
  const start = performance.now()
  const late = Bun.sleep(TIMEOUT_MS).then(() => false)
  const healthy = await Promise.race([Promise.resolve(ask()).then(() => true), late]).catch(() => false)
  return { healthy, latencyMs: performance.now() - start }
}
