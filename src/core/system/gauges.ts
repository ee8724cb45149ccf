import { count, sql } from 'drizzle-orm'
import { nodes, tasks } from '../../db/schema/index.ts'
import { Kept } from '../../util/kept.ts'
import type { Context } from '../context.ts'
import { COMPONENTS, checkHealth } from './health.ts'
import { ledgerHealth } from './ledger-health.ts'

/** Seconds. A timer of a busy process comes late. */
const LAGS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5]
const LAG_EVERY_MS = 500
/** The database is not asked more often, however many programs scrape. */
const EVERY_MS = 5000
const PROBE_EVERY_MS = 15_000
/** How long a scrape waits for the readings. What is not there by then is missing from the scrape. */
const WAIT_MS = 1000

/** The metrics that are not counted but read at a scrape, and the lag of the event loop. */
export class Gauges {
  private readonly sources: Record<string, Kept<unknown>>
  private readonly lag: ReturnType<typeof setInterval>

  constructor(ctx: Context) {
    const { registry } = ctx.metrics
    const jobs = new Kept(() => ctx.queue.depths(), EVERY_MS)
    const nodeStates = new Kept(() => countNodes(ctx), EVERY_MS)
    const gpuTasks = new Kept(() => countTasks(ctx), EVERY_MS)
    const parts = new Kept(() => checkHealth(ctx, COMPONENTS), PROBE_EVERY_MS)
    const ledger = new Kept(() => ledgerHealth(ctx), PROBE_EVERY_MS)
    this.sources = { jobs, nodes: nodeStates, tasks: gpuTasks, parts, ledger }
    registry.gauge('roost_jobs', 'Queued jobs by state, of all servers', ['queue', 'state'], () =>
      jobs.value?.map(({ queue, state, jobs }) => [[queue, state], jobs] as const),
    )
    registry.gauge('roost_nodes', 'GPU servers by state', ['state'], () => entries(nodeStates.value))
    registry.gauge('roost_gpu_tasks', 'GPU tasks that have not ended, by state', ['state'], () =>
      entries(gpuTasks.value),
    )
    registry.gauge('roost_part_up', '1 when the part answers, else 0', ['part'], () =>
      COMPONENTS.flatMap((part) =>
        parts.value ? [[[part], Number(parts.value[part].healthy)] as const] : [],
      ),
    )
    registry.gauge(
      'roost_part_latency_seconds',
      'Seconds of a round trip to the part, with the wait for a connection',
      ['part'],
      () =>
        COMPONENTS.flatMap((part) =>
          parts.value ? [[[part], parts.value[part].latencyMs / 1000] as const] : [],
        ),
    )
    registry.gauge(
      'roost_ledger_differences',
      'Accounts, transfers and holds that the newest check of the ledger found wrong',
      [],
      () => ledger.value?.differences,
    )
    registry.gauge(
      'roost_ledger_trial_balance_minor',
      'All credits less all debits of the ledger in minor units, at its newest check; 0 when it is right',
      [],
      () => ledger.value?.trialBalanceMinor,
    )
    registry.gauge('roost_ledger_checked_timestamp_seconds', 'When the ledger was checked last', [], () =>
      ledger.value?.checkedAt ? ledger.value.checkedAt.getTime() / 1000 : undefined,
    )
    registry.gauge(
      'roost_metrics_source_up',
      '1 when the values that a scrape reads from the database and the parts are there, else 0',
      ['source'],
      () =>
        Object.entries(this.sources).map(
          ([name, { value }]) => [[name], Number(value !== undefined)] as const,
        ),
    )
    registry.gauge('roost_uploads', 'Uploads whose bytes this server is receiving', [], () =>
      ctx.services.uploads.underWay(),
    )
    registry.readCounter(
      'roost_rate_limited_total',
      'Refused requests by the limit that they exceeded',
      ['policy'],
      () => entries(ctx.services.rateLimits.refused),
    )
    registerProcess(ctx)
    const lag = registry
      .histogram('roost_event_loop_lag_seconds', 'How late a timer of this process comes', [], LAGS)
      .of()
    let due = performance.now() + LAG_EVERY_MS
    this.lag = setInterval(() => {
      const now = performance.now()
      lag.observe(Math.max(0, now - due) / 1000)
      due = now + LAG_EVERY_MS
    }, LAG_EVERY_MS)
    this.lag.unref()
  }

  /** Reads what is due. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(Object.values(this.sources).map((source) => source.refresh(WAIT_MS)))
  }

  close(): void {
    clearInterval(this.lag)
  }
}

const entries = (counts: Record<string, number> | undefined) =>
  counts && Object.entries(counts).map(([label, value]) => [[label], value] as const)

async function countNodes({ db }: Context): Promise<Record<string, number>> {
  const counts = { online: 0, draining: 0, offline: 0 }
  const rows = await db
    .select({ online: nodes.online, draining: nodes.draining, n: count() })
    .from(nodes)
    .groupBy(nodes.online, nodes.draining)
  for (const { online, draining, n } of rows)
    counts[!online ? 'offline' : draining ? 'draining' : 'online'] += n
  return counts
}

async function countTasks({ db }: Context): Promise<Record<string, number>> {
  // Each condition is that of an index of the tasks that have not ended.
  const [row] = await db
    .select({
      waiting: sql<number>`(select count(*)::int from ${tasks}
        where ${tasks.status} = 'pending' and ${tasks.nodeId} is null and ${tasks.kind} = 'gpu')`,
      leased: sql<number>`(select count(*)::int from ${tasks}
        where ${tasks.nodeId} is not null and ${tasks.status} in ('pending', 'running'))`,
    })
    .from(sql`(values (1)) one`)
  return { waiting: row!.waiting, leased: row!.leased }
}

/** Under the names that every Prometheus client uses. */
function registerProcess({ metrics: { registry } }: Context): void {
  const startedAt = Date.now() / 1000 - process.uptime()
  registry.gauge('process_start_time_seconds', 'When this process started', [], () => startedAt)
  registry.gauge('process_resident_memory_bytes', 'Resident memory of this process', [], () =>
    process.memoryUsage.rss(),
  )
  registry.readCounter('process_cpu_seconds_total', 'Processor time of this process', [], () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}
