/** How nodes stand right now: in memory and on the bus; stored in batches, never a row per heartbeat. */
import { and, count, eq, inArray, isNull, sql } from 'drizzle-orm'
import { type GpuReading, nodes, tasks } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import type { Node } from './nodes.ts'

/** The newest reading of a node. GB, percent, °C, W. */
export interface Reading {
  cpu_usage: number
  memory_usage: number
  gpus: GpuReading[]
}

export interface RunningTask {
  /** UUID. */
  task_id: string
  progress: number
}

/** Present state of a node on the bus, under `gpu:server:<uuid>`; every server has all of them. */
export interface NodeState extends Reading {
  node_id: number
  server_id: string
  status: NodeStatus
  running_tasks: RunningTask[]
  /** RFC 3339; when the node was last heard. */
  timestamp: string
}

export type NodeStatus = 'online' | 'offline' | 'draining'

export const NODE_TOPIC = 'gpu:server:'
export const nodeTopic = (uuid: string): string => NODE_TOPIC + uuid

/** A node as it is shown: its stored row under its present state. */
export interface NodeView extends Reading {
  node: Node
  status: NodeStatus
  runningTasks: RunningTask[]
  lastHeartbeat: string | null
}

export function viewNode(ctx: Core, node: Node, held: RunningTask[]): NodeView {
  const state = presentState(ctx, node)
  return {
    node,
    status: statusOf(node),
    cpu_usage: state?.cpu_usage ?? node.cpuUsage,
    memory_usage: state?.memory_usage ?? node.memoryUsage,
    gpus: state?.gpus ?? node.gpus,
    runningTasks: state?.running_tasks ?? held,
    lastHeartbeat: state?.timestamp ?? node.lastHeartbeatAt?.toISOString() ?? null,
  }
}

/** The state on the bus, unless the database knows better: another server heard the node last, or gave it up. */
function presentState(ctx: Core, node: Node): NodeState | undefined {
  const state = ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
  if (!state || !node.online) return undefined
  // Readings are stored once per heartbeat; one more for clocks that differ.
  const overtakenMs = 2 * ctx.config.nodeHeartbeatSeconds * 1000
  const storedAt = node.lastHeartbeatAt?.getTime() ?? 0
  return storedAt - Date.parse(state.timestamp) > overtakenMs ? undefined : state
}

/** How nodes stand, by UUID; those that were removed are offline. Two queries. */
export async function presentNodes(ctx: Core, uuids: string[]): Promise<Map<string, NodeState>> {
  const rows = await ctx.db.select().from(nodes).where(inArray(nodes.uuid, uuids))
  const held = await runningByNode(
    ctx,
    rows.map((node) => node.id),
  )
  return new Map(
    rows.map((node) => {
      const view = viewNode(ctx, node, held.get(node.id) ?? [])
      return [
        node.uuid,
        {
          node_id: node.id,
          server_id: node.uuid,
          status: view.status,
          cpu_usage: view.cpu_usage,
          memory_usage: view.memory_usage,
          gpus: view.gpus,
          running_tasks: view.runningTasks,
          timestamp: view.lastHeartbeat ?? node.createdAt.toISOString(),
        },
      ]
    }),
  )
}

export const statusOf = (node: Pick<Node, 'online' | 'draining'>): NodeStatus =>
  !node.online ? 'offline' : node.draining ? 'draining' : 'online'

/** What nodes run, as the database knows it, by node id. */
export async function runningByNode(ctx: Core, nodeIds: number[]): Promise<Map<number, RunningTask[]>> {
  const rows =
    nodeIds.length === 0
      ? []
      : await ctx.db
          .select({ nodeId: tasks.nodeId, uuid: tasks.uuid, progress: tasks.progress })
          .from(tasks)
          .where(and(inArray(tasks.nodeId, nodeIds), eq(tasks.status, 'running')))
  const byNode = new Map<number, RunningTask[]>()
  for (const { nodeId, uuid, progress } of rows) {
    byNode.set(nodeId!, [...(byNode.get(nodeId!) ?? []), { task_id: uuid, progress }])
  }
  return byNode
}

export interface ClusterOverview {
  total_servers: number
  online_servers: number
  offline_servers: number
  total_gpus: number
  busy_gpus: number
  idle_gpus: number
  total_running_tasks: number
  queue_length: number
  average_gpu_usage: number
  total_memory: number
  used_memory: number
}

/** From this usage on, in percent, a GPU counts as busy. */
const BUSY_PERCENT = 5

/** All servers at a glance; GPUs and memory are those of reachable servers. Two queries. */
export async function clusterOverview(ctx: Core): Promise<ClusterOverview> {
  const [all, [counts]] = await Promise.all([
    ctx.db.select().from(nodes).where(isNull(nodes.deletedAt)),
    ctx.db
      .select({
        queued: sql<number>`(count(*) filter (where ${tasks.status} = 'pending'))::int`,
        running: sql<number>`(count(*) filter (where ${tasks.status} = 'running'))::int`,
        n: count(),
      })
      .from(tasks)
      .where(and(eq(tasks.kind, 'gpu'), inArray(tasks.status, ['pending', 'running']))),
  ])
  const online = all.filter((node) => node.online)
  const gpus = online.flatMap((node) => viewNode(ctx, node, []).gpus)
  const busy = gpus.filter((gpu) => gpu.usage >= BUSY_PERCENT).length
  const sum = (pick: (gpu: GpuReading) => number) => gpus.reduce((total, gpu) => total + pick(gpu), 0)
  return {
    total_servers: all.length,
    online_servers: online.length,
    offline_servers: all.length - online.length,
    total_gpus: gpus.length,
    busy_gpus: busy,
    idle_gpus: gpus.length - busy,
    total_running_tasks: counts!.running,
    queue_length: counts!.queued,
    average_gpu_usage: gpus.length === 0 ? 0 : round1(sum((gpu) => gpu.usage) / gpus.length),
    total_memory: round1(sum((gpu) => gpu.memory_total)),
    used_memory: round1(sum((gpu) => gpu.memory_used)),
  }
}

export const round1 = (value: number): number => Math.round(value * 10) / 10

/**
 * Stores the newest reading of many nodes in one statement. The time is the database's, by which other servers judge
 * silence; it is late by at most the interval of the batches.
 */
export async function saveReadings(ctx: Core, states: NodeState[]): Promise<void> {
  if (states.length === 0) return
  await ctx.db.execute(sql`
    update nodes n set cpu_usage = r.cpu_usage, memory_usage = r.memory_usage, gpus = r.gpus,
      last_heartbeat_at = now()
    from json_to_recordset(${JSON.stringify(states)}::text::json)
      as r(node_id int, cpu_usage float8, memory_usage float8, gpus jsonb)
    where n.id = r.node_id`)
}
