import { sql } from 'drizzle-orm'
import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'

export interface ComponentHealth {
  healthy: boolean
  /** Milliseconds of one round trip. */
  latencyMs: number
}

const TIMEOUT_MS = 3000

/** Whether the workers of this server look for jobs. */
async function checkQueue({ queue }: Context): Promise<void> {
  if (!queue.isWorking()) throw new Error('a worker has stopped')
}

const PROBES = {
  database: (ctx: Context) => ctx.db.execute(sql`select 1`),
  bus: (ctx: Context) => ctx.bus.ping(),
  storage: (ctx: Context) => ctx.storage.ping(),
  mail: (ctx: Context) => ctx.mailer.ping(),
  queue: checkQueue,
}
export type Component = keyof typeof PROBES

export const COMPONENTS = ['database', 'bus', 'storage', 'mail'] as const satisfies Component[]

/**
 * Whether this server can serve requests, for load balancers. Only the database decides. Without Redis, servers find
 * events by polling; without a mail server, mails wait in their queue; without the object storage, all routes but those
 * of files work. A load balancer that removed every server for one of these would end what still works.
 */
export const canServe = async (ctx: Context): Promise<boolean> =>
  (await checkHealth(ctx, ['database'])).database.healthy

/** Probes these parts in the form that is in use, embedded or real, for `timeoutMs` at most. Never rejects. */
export async function checkHealth<C extends Component>(
  ctx: Context,
  components: readonly C[],
  timeoutMs = TIMEOUT_MS,
): Promise<Record<C, ComponentHealth>> {
  const answers = await Promise.all(components.map((name) => probe(() => PROBES[name](ctx), timeoutMs)))
  return Object.fromEntries(components.map((name, i) => [name, answers[i]])) as Record<C, ComponentHealth>
}

export const allHealthy = (components: Record<string, ComponentHealth>): boolean =>
  Object.values(components).every(({ healthy }) => healthy)

async function probe(ask: () => PromiseLike<unknown>, timeoutMs: number): Promise<ComponentHealth> {
  const start = performance.now()
  const answered = Promise.try(ask).then(() => true)
  const healthy = (await waitAtMost(timeoutMs, answered).catch(() => false)) ?? false
  return { healthy, latencyMs: performance.now() - start }
}
