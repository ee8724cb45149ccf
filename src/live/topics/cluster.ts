/** `gpu:cluster`: a summary of all GPU nodes, for every user. Nodes, their states and events of tasks make it dirty. */
import { eventsHint } from '../../core/channel/hints.ts'
import { type ClusterOverview, clusterOverview, NODE_TOPIC } from '../../core/nodes/presence.ts'
import { nodeHint } from '../../core/tasks/hints.ts'
import { type ClusterUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { type ReadCurrent, sharedText, type TopicKind } from './topic.ts'

const CLUSTER = 'gpu:cluster'
/** The overview costs two queries and changes with every heartbeat. */
const DELAY_MS = 500

export const presentCluster = (overview: ClusterOverview): ClusterUpdateData => ({
  total_servers: overview.totalNodes,
  online_servers: overview.onlineNodes,
  offline_servers: overview.offlineNodes,
  total_gpus: overview.totalGpus,
  busy_gpus: overview.busyGpus,
  idle_gpus: overview.idleGpus,
  total_running_tasks: overview.totalRunningTasks,
  queue_length: overview.queueLength,
  average_gpu_usage: overview.averageGpuUsage,
  total_memory: overview.totalMemory,
  used_memory: overview.usedMemory,
})

const readCurrent: ReadCurrent = async (ctx) => new Map([[CLUSTER, await clusterOverview(ctx)]])
const textOf = sharedText(presentCluster)

export const clusterKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.cluster),
  open: async ({ name }) => ({
    name,
    key: CLUSTER,
    permits: () => true,
    readCurrent,
    render: (value) => `{"type":"gpu_cluster","key":"${CLUSTER}","data":${textOf(value)}}`,
  }),
  listen({ bus }, changed) {
    const clusterChanged = () => changed(CLUSTER, DELAY_MS)
    // Events of tasks change the queue and the number of running tasks.
    bus.subscribe(eventsHint, (events) => {
      if (events.some(({ type }) => type.startsWith('task.'))) clusterChanged()
    })
    bus.subscribe(nodeHint, clusterChanged)
    bus.onState((key) => {
      if (key.startsWith(NODE_TOPIC)) clusterChanged()
    })
    return undefined
  },
}
