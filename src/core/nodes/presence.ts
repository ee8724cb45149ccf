/** The current state of nodes: on the bus, and in their rows, which are written in batches and not for each heartbeat. */
import { and, count, eq, inArray, isNull, sql } from 'drizzle-orm'
import { type GpuReading, nodes, tasks } from '../../db/schema/index.ts'
import { snakeKeys } from '../../util/case.ts'
import type { Context } from '../context.ts'
import { withCurrentProgress } from '../tasks/progress.ts'
import type { Node } from './rows.ts'

export type { GpuReading }

/** The figures of one GPU in a frame, without those that the server did not accept. */
export type HeardGpu = Partial<GpuReading> & Pick<GpuReading, 'gpuId'>

/** The figures of a heartbeat. */
export interface HeardReading {
  cpuUsage?: number | undefined
  memoryUsage?: number | undefined
  /** How many tasks the node can run, when this has changed since its `hello`. */
  maxConcurrentTasks?: number | undefined
  /** Undefined when the heartbeat did not name GPUs. */
  gpus?: HeardGpu[] | undefined
}

/** The newest figures of a node. GB, percent, °C, W. */
export interface Reading {
  cpuUsage: number
  memoryUsage: number
  gpus: GpuReading[]
}

export interface RunningTask {
  /** UUID. */
  taskUuid: string
  progress: number
}

/**
 * Completes a heartbeat with the known figures. Temperature and power are not completed, because clients see them only
 * while the node measures them.
 */
export function completeReading(heard: HeardReading, known: Reading): Reading {
  const before = new Map(known.gpus.map((gpu) => [gpu.gpuId, gpu]))
  return {
    cpuUsage: heard.cpuUsage ?? known.cpuUsage,
    memoryUsage: heard.memoryUsage ?? known.memoryUsage,
    gpus: heard.gpus?.map((gpu) => completeGpu(gpu, before.get(gpu.gpuId))) ?? known.gpus,
  }
}

export function completeGpu(heard: HeardGpu, known: GpuReading | undefined): GpuReading {
  const name = heard.name ?? known?.name
  return {
    gpuId: heard.gpuId,
    ...(name !== undefined && { name }),
    usage: heard.usage ?? known?.usage ?? 0,
    memoryUsed: heard.memoryUsed ?? known?.memoryUsed ?? 0,
    memoryTotal: heard.memoryTotal ?? known?.memoryTotal ?? 0,
    ...(heard.temperature !== undefined && { temperature: heard.temperature }),
    ...(heard.power !== undefined && { power: heard.power }),
  }
}

/** The current state of a node on the bus, under `gpu:server:<uuid>`. Every server has the states of all nodes. */
export interface NodeState extends Reading {
  nodeId: number
  nodeUuid: string
  status: NodeStatus
  runningTasks: RunningTask[]
  /** RFC 3339: when a server last heard the node. */
  timestamp: string
}

export type NodeStatus = 'online' | 'offline' | 'draining'

export const NODE_TOPIC = 'gpu:server:'
export const nodeTopic = (uuid: string): string => NODE_TOPIC + uuid

/** A node with its current figures: those on the bus, or those of its row. */
export interface NodeView extends Reading {
  node: Node
  status: NodeStatus
  runningTasks: RunningTask[]
  lastHeartbeat: string | null
}

/** The nodes with their current figures and the tasks that they run, in the same order. One query. */
export async function viewNodes(ctx: Context, nodes: Node[]): Promise<NodeView[]> {
  const running = await runningByNode(
    ctx,
    nodes.map(({ id }) => id),
  )
  return nodes.map((node) => viewNode(ctx, node, running.get(node.id) ?? []))
}

function viewNode(ctx: Context, node: Node, running: RunningTask[]): NodeView {
  const state = currentState(ctx, node)
  return {
    node,
    status: statusOf(node),
    cpuUsage: state?.cpuUsage ?? node.cpuUsage,
    memoryUsage: state?.memoryUsage ?? node.memoryUsage,
    gpus: state?.gpus ?? node.gpus,
    runningTasks: running,
    lastHeartbeat: state?.timestamp ?? node.lastHeartbeatAt?.toISOString() ?? null,
  }
}

/**
 * The state on the bus; undefined when the database is newer: another server heard the node last, or the node is
 * offline.
 */
function currentState(ctx: Context, node: Node): NodeState | undefined {
  const state = ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
  if (!state || !node.online) return undefined
  // Readings are stored once per heartbeat, and storing may take as long again.
  const overtakenMs = 2 * ctx.config.nodeHeartbeatSeconds * 1000
  const heardAgo = ctx.bus.stateAge(nodeTopic(node.uuid))!
  const storedAgo = node.lastHeartbeatAt ? ctx.clock.ageOf(node.lastHeartbeatAt) : Number.POSITIVE_INFINITY
  return heardAgo - storedAgo > overtakenMs ? undefined : state
}

/** The current states of nodes, by UUID. A removed node is offline. Two queries. */
export async function currentNodes(ctx: Context, uuids: string[]): Promise<Map<string, NodeState>> {
  const rows = await ctx.db.select().from(nodes).where(inArray(nodes.uuid, uuids))
  const views = await viewNodes(ctx, rows)
  return new Map(
    views.map(({ node, lastHeartbeat, ...figures }) => [
      node.uuid,
      {
        nodeId: node.id,
        nodeUuid: node.uuid,
        ...figures,
        timestamp: lastHeartbeat ?? node.createdAt.toISOString(),
      },
    ]),
  )
}

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

/** The tasks that nodes run, by node id, with their current progress. */
async function runningByNode(ctx: Context, nodeIds: number[]): Promise<Map<number, RunningTask[]>> {
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
    const { nodeId, uuid, progress } = withCurrentProgress(ctx, row)
    byNode.set(nodeId!, [...(byNode.get(nodeId!) ?? []), { taskUuid: uuid, progress }])
  }
  return byNode
}

export interface ClusterOverview {
  totalNodes: number
  onlineNodes: number
  offlineNodes: number
  totalGpus: number
  busyGpus: number
  idleGpus: number
  totalRunningTasks: number
  queueLength: number
  averageGpuUsage: number
  totalMemory: number
  usedMemory: number
}

/** A GPU with at least this usage is busy. */
const BUSY_PERCENT = 5

/** A summary of all nodes. GPUs and memory are those of nodes that are online. Two queries. */
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
    totalNodes: all.length,
    onlineNodes: online.length,
    offlineNodes: all.length - online.length,
    totalGpus: gpus.length,
    busyGpus: busy,
    idleGpus: gpus.length - busy,
    totalRunningTasks: counts!.running,
    queueLength: counts!.queued,
    averageGpuUsage: gpus.length === 0 ? 0 : round1(sum((gpu) => gpu.usage) / gpus.length),
    totalMemory: round1(sum((gpu) => gpu.memoryTotal)),
    usedMemory: round1(sum((gpu) => gpu.memoryUsed)),
  }
}

export const round1 = (value: number): number => Math.round(value * 10) / 10

/** `connected`: the heartbeat came over a socket. */
export type StoredState = NodeState & { connected: boolean }

/**
 * Stores the newest readings of many nodes in one statement. The database sets the time, by which other servers find silent
 * nodes; it is late by at most the interval of the batches.
 * A node whose row another transaction holds is left out, because its next reading comes soon.
 */
export async function saveReadings(ctx: Context, states: StoredState[]): Promise<void> {
  if (states.length === 0) return
  const rows = states.map(({ nodeId, cpuUsage, memoryUsage, gpus, connected }) => ({
    nodeId,
    cpuUsage,
    memoryUsage,
    gpus: gpus.map((gpu) => snakeKeys({ ...gpu })),
    connected,
  }))
  await ctx.db.execute(sql`
    update nodes n set cpu_usage = r."cpuUsage", memory_usage = r."memoryUsage", gpus = r.gpus,
      last_heartbeat_at = now(), socket_heard_at = case when r.connected then now() else n.socket_heard_at end
    from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as r("nodeId" int, "cpuUsage" float8, "memoryUsage" float8, gpus jsonb, connected boolean)
    where n.id = r."nodeId" and n.id in (
      select id from nodes where ${inArray(
        nodes.id,
        states.map((state) => state.nodeId),
      )} order by id for no key update skip locked)`)
}
