import { Type } from '@sinclair/typebox'
import { listNodes } from '../../nodes/nodes.ts'
import { clusterOverview, viewNodes } from '../../nodes/presence.ts'
import { defineTool } from './tool.ts'

const MAX_SERVERS = 20
/** Task types that every node program can run. */
const BUILTIN_TYPES = ['test', 'video_analysis']

export const gpuTools = [
  defineTool({
    name: 'gpu_overview',
    description:
      'Shows the GPU servers: how many are online and busy, how long the queue is, and which types of tasks can be started. Memory is in GB.',
    effect: 'read',
    input: Type.Object({}),
    async run(ctx) {
      const [overview, nodes] = await Promise.all([clusterOverview(ctx), listNodes(ctx)])
      const views = await viewNodes(ctx, nodes.slice(0, MAX_SERVERS))
      const servers = views.map(({ node, status, gpus, runningTasks }) => ({
        name: node.name,
        status,
        gpus: gpus.length,
        running_tasks: runningTasks.length,
      }))
      const offered = nodes.flatMap(({ taskTypes }) => taskTypes)
      return {
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
        task_types: [...new Set([...BUILTIN_TYPES, ...offered])].toSorted(),
        servers,
      }
    },
  }),
]
