import { count, sql } from 'drizzle-orm'
import { nodes, tasks } from '../../db/schema/index.ts'
import { Kept } from '../../util/kept.ts'
import type { Context } from '../context.ts'
import { COMPONENTS, checkHealth } from './health.ts'
import { ledgerHealth } from './ledger-health.ts'

/** The database is not asked more often, however many programs scrape and users watch. */
const EVERY_MS = 5000
const PROBE_EVERY_MS = 15_000
/** How long a caller waits for the readings. What is not there by then is missing from the answer. */
const WAIT_MS = 1000

export type NodeCounts = Record<'online' | 'draining' | 'offline', number>
/** GPU tasks that wait for a node, and those that have one. */
export type TaskCounts = Record<'waiting' | 'leased', number>

/** What the metrics and the overview read from the database and the parts. */
export class Readings {
  readonly jobs = new Kept(() => this.ctx.queue.depths(), EVERY_MS)
  readonly nodes = new Kept(() => countNodes(this.ctx), EVERY_MS)
  readonly tasks = new Kept(() => countTasks(this.ctx), EVERY_MS)
  readonly parts = new Kept(() => checkHealth(this.ctx, COMPONENTS), PROBE_EVERY_MS)
  readonly ledger = new Kept(() => ledgerHealth(this.ctx), PROBE_EVERY_MS)

  constructor(private readonly ctx: Context) {}

  /** By the names that metrics give them. */
  get sources(): Record<string, Kept<unknown>> {
    const { jobs, nodes, tasks, parts, ledger } = this
    return { jobs, nodes, tasks, parts, ledger }
  }

  /** Reads what is due. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(Object.values(this.sources).map((source) => source.refresh(WAIT_MS)))
  }
}

async function countNodes({ db }: Context): Promise<NodeCounts> {
  const counts = { online: 0, draining: 0, offline: 0 }
  const rows = await db
    .select({ online: nodes.online, draining: nodes.draining, n: count() })
    .from(nodes)
    .groupBy(nodes.online, nodes.draining)
  for (const { online, draining, n } of rows)
    counts[!online ? 'offline' : draining ? 'draining' : 'online'] += n
  return counts
}

async function countTasks({ db }: Context): Promise<TaskCounts> {
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
