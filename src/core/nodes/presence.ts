/** How nodes stand right now: in memory and on the bus; stored in batches, never a row per heartbeat. */
import { and, count, eq, inArray, isNull, sql } from 'drizzle-orm'
import { type GpuReading, nodes, tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { withPresentProgress } from '../tasks/progress.ts'
import type { Node } from './nodes.ts'

/** What a node says of one GPU; a figure that can't be is left out. */
export type HeardGpu = Partial<GpuReading> & Pick<GpuReading, 'gpu_id'>

/** What a node says of itself in a heartbeat. */
export interface HeardReading {
  cpu_usage?: number | undefined
  memory_usage?: number | undefined
  /** How many tasks it can run, when that has changed since its `hello`. */
  max_concurrent_tasks?: number | undefined
  /** Undefined: it said nothing of them. */
  gpus?: HeardGpu[] | undefined
}

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

/**
 * A whole reading: what every reading has, and was left out, is as it was known before. Temperature and power are shown
 * only while they are measured.
 */
export function completeReading(heard: HeardReading, known: Reading): Reading {
  const before = new Map(known.gpus.map((gpu) => [gpu.gpu_id, gpu]))
  return {
    cpu_usage: heard.cpu_usage ?? known.cpu_usage,
    memory_usage: heard.memory_usage ?? known.memory_usage,
    gpus: heard.gpus?.map((gpu) => completeGpu(gpu, before.get(gpu.gpu_id))) ?? known.gpus,
  }
}

export function completeGpu(heard: HeardGpu, known: GpuReading | undefined): GpuReading {
  const name = heard.name ?? known?.name
  return {
    gpu_id: heard.gpu_id,
    ...(name !== undefined && { name }),
    usage: heard.usage ?? known?.usage ?? 0,
    memory_used: heard.memory_used ?? known?.memory_used ?? 0,
    memory_total: heard.memory_total ?? known?.memory_total ?? 0,
    ...(heard.temperature !== undefined && { temperature: heard.temperature }),
    ...(heard.power !== undefined && { power: heard.power }),
  }
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

/** @param running what it runs, from {@link runningByNode}: the same figures as the tasks' own */
export function viewNode(ctx: Context, node: Node, running: RunningTask[]): NodeView {
  const state = presentState(ctx, node)
  return {
    node,
    status: statusOf(node),
    cpu_usage: state?.cpu_usage ?? node.cpuUsage,
    memory_usage: state?.memory_usage ?? node.memoryUsage,
    gpus: state?.gpus ?? node.gpus,
    runningTasks: running,
    lastHeartbeat: state?.timestamp ?? node.lastHeartbeatAt?.toISOString() ?? null,
  }
}

/** The state on the bus, unless the database knows better: another server heard the node last, or gave it up. */
function presentState(ctx: Context, node: Node): NodeState | undefined {
  const state = ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
  if (!state || !node.online) return undefined
  // Readings are stored once per heartbeat; one more for what that takes.
  const overtakenMs = 2 * ctx.config.nodeHeartbeatSeconds * 1000
  const heardAgo = ctx.bus.stateAge(nodeTopic(node.uuid))!
  const storedAgo = node.lastHeartbeatAt ? ctx.clock.ageOf(node.lastHeartbeatAt) : Number.POSITIVE_INFINITY
  return heardAgo - storedAgo > overtakenMs ? undefined : state
}

/** How nodes stand, by UUID; those that were removed are offline. Two queries. */
export async function presentNodes(ctx: Context, uuids: string[]): Promise<Map<string, NodeState>> {
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

/** A GPU as it is shown: what a node said, field by field. */
export const shownGpu = (gpu: GpuReading): GpuReading => completeGpu(gpu, undefined)

export const statusOf = (node: Pick<Node, 'online' | 'draining'>): NodeStatus =>
  !node.online ? 'offline' : node.draining ? 'draining' : 'online'

const runningColumns = {
  nodeId: tasks.nodeId,
  uuid: tasks.uuid,
  status: tasks.status,
  attempt: tasks.attempt,
  progress: tasks.progress,
  currentItem: tasks.currentItem,
  updatedAt: tasks.updatedAt,
}

/** What nodes run, by node id, with the progress of this moment. */
export async function runningByNode(ctx: Context, nodeIds: number[]): Promise<Map<number, RunningTask[]>> {
  const rows =
    nodeIds.length === 0
      ? []
      : await ctx.db
          .select(runningColumns)
          .from(tasks)
          .where(and(inArray(tasks.nodeId, nodeIds), eq(tasks.status, 'running')))
          .orderBy(tasks.id)
  const byNode = new Map<number, RunningTask[]>()
  for (const row of rows) {
    const { nodeId, uuid, progress } = withPresentProgress(ctx, row)
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
export async function clusterOverview(ctx: Context): Promise<ClusterOverview> {
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

/** A state with whether it came over a socket. */
export type StoredState = NodeState & { connected: boolean }

/**
 * Stores the newest reading of many nodes in one statement. The time is the database's, by which other servers judge
 * silence; it is late by at most the interval of the batches.
 * A node whose row somebody else holds is left out: its next reading comes soon.
 */
export async function saveReadings(ctx: Context, states: StoredState[]): Promise<void> {
  if (states.length === 0) return
  await ctx.db.execute(sql`
    update nodes n set cpu_usage = r.cpu_usage, memory_usage = r.memory_usage, gpus = r.gpus,
      last_heartbeat_at = now(), socket_heard_at = case when r.connected then now() else n.socket_heard_at end
    from json_to_recordset(${JSON.stringify(states)}::text::json)
      as r(node_id int, cpu_usage float8, memory_usage float8, gpus jsonb, connected boolean)
    where n.id = r.node_id and n.id in (
      select id from nodes where ${inArray(
        nodes.id,
        states.map((state) => state.node_id),
      )} order by id for no key update skip locked)`)
}
