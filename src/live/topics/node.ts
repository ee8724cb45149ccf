/** `gpu:server:<uuid>`: one GPU node, for every user. The state on the bus makes it dirty. */
import { getNode } from '../../core/nodes/nodes.ts'
import { currentNodes, type GpuReading, type NodeState, nodeTopic } from '../../core/nodes/presence.ts'
import { type GpuUsage, type NodeUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { readByKey, sharedText, type TopicKind } from './topic.ts'

/** The fields in the order in which clients see them. */
export const presentGpu = (gpu: GpuReading): GpuUsage => ({
  gpu_id: gpu.gpuId,
  ...(gpu.name !== undefined && { name: gpu.name }),
  usage: gpu.usage,
  memory_used: gpu.memoryUsed,
  memory_total: gpu.memoryTotal,
  ...(gpu.temperature !== undefined && { temperature: gpu.temperature }),
  ...(gpu.power !== undefined && { power: gpu.power }),
})

const presentNode = (state: NodeState): NodeUpdateData => ({
  server_id: state.nodeUuid,
  status: state.status,
  cpu_usage: state.cpuUsage,
  memory_usage: state.memoryUsage,
  gpu_usage: state.gpus.map(presentGpu),
  running_tasks: state.runningTasks.map(({ taskUuid, progress }) => ({ task_id: taskUuid, progress })),
  timestamp: state.timestamp,
})

const readCurrent = readByKey(currentNodes, nodeTopic, String)
const textOf = sharedText(presentNode)

export const nodeKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.node),
  async open({ ctx, name, id }) {
    const { uuid } = await getNode(ctx, id)
    const key = nodeTopic(uuid)
    const prefix = `{"type":"gpu_update","key":${JSON.stringify(key)},"server_id":"${uuid}","data":`
    return {
      name,
      key,
      permits: () => true,
      readCurrent,
      render: (value) => `${prefix}${textOf(value)}}`,
    }
  },
}
