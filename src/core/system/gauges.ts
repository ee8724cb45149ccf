import type { Context } from '../context.ts'
import { COMPONENTS } from './health.ts'
import { cpuSeconds, type Overview, overviewOf, type Sockets, STARTED_AT } from './overview.ts'
import { Readings } from './readings.ts'

/** Seconds. A timer of a busy process comes late. */
const LAGS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5]
const LAG_EVERY_MS = 500
/** However many sockets and polls ask for an overview. */
const OVERVIEW_EVERY_MS = 1500

/** The metrics that are not counted but read at a scrape, and the lag of the event loop. */
export class Gauges {
  private readonly readings: Readings
  private readonly lag: ReturnType<typeof setInterval>
  private sockets = (): Sockets => ({ user: 0, stranger: 0, node: 0 })
  private overviewAt = -Infinity
  private newest: Promise<Overview> | undefined

  constructor(private readonly ctx: Context) {
    const { registry } = ctx.metrics
    this.readings = new Readings(ctx)
    const { jobs, nodes, tasks, parts, ledger } = this.readings
    registry.gauge('roost_jobs', 'Queued jobs by state, of all servers', ['queue', 'state'], () =>
      jobs.value?.map(({ queue, state, jobs }) => [[queue, state], jobs] as const),
    )
    registry.gauge('roost_nodes', 'GPU servers by state', ['state'], () => entries(nodes.value))
    registry.gauge('roost_gpu_tasks', 'GPU tasks that have not ended, by state', ['state'], () =>
      entries(tasks.value),
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
        Object.entries(this.readings.sources).map(
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
    await this.readings.refresh()
  }

  /** Also counts the open sockets, which the core does not know. */
  countSockets(read: () => Sockets): void {
    this.sockets = read
    this.ctx.metrics.registry.gauge('roost_sockets', 'Open sockets by kind of client', ['kind'], () =>
      entries({ ...read() }),
    )
  }

  /** How this server works now. Never rejects. */
  overview(): Promise<Overview> {
    const now = performance.now()
    if (!this.newest || now - this.overviewAt >= OVERVIEW_EVERY_MS) {
      this.overviewAt = now
      this.newest = this.refresh().then(() => overviewOf(this.ctx, this.readings, this.sockets()))
    }
    return this.newest
  }

  close(): void {
    clearInterval(this.lag)
  }
}

const entries = (counts: Record<string, number> | undefined) =>
  counts && Object.entries(counts).map(([label, value]) => [[label], value] as const)

/** Under the names that every Prometheus client uses. */
function registerProcess({ metrics: { registry } }: Context): void {
  registry.gauge(
    'process_start_time_seconds',
    'When this process started',
    [],
    () => STARTED_AT.getTime() / 1000,
  )
  registry.gauge('process_resident_memory_bytes', 'Resident memory of this process', [], () =>
    process.memoryUsage.rss(),
  )
  registry.readCounter('process_cpu_seconds_total', 'Processor time of this process', [], cpuSeconds)
}
