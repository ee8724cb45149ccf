/** What can be watched: who may, under which key its state changes, and how a value becomes a frame. */
import type { Principal } from '../core/accounts/principals.ts'
import { latestRun, ownSession } from '../core/agent/sessions.ts'
import type { Core } from '../core/context.ts'
import { mayManage } from '../core/materials/materials.ts'
import { ownMaterial, type UploadState, uploadTopic } from '../core/materials/uploads.ts'
import { getNode } from '../core/nodes/nodes.ts'
import {
  clusterOverview,
  NODE_TOPIC,
  type NodeState,
  nodeTopic,
  runningByNode,
  viewNode,
} from '../core/nodes/presence.ts'
import { type TaskState, taskTopic } from '../core/tasks/progress.ts'
import { getTask, mayAccess } from '../core/tasks/tasks.ts'

export interface Topic {
  /** As the client named it; identifies the subscription on its socket. */
  name: string
  /** The state it follows; several names may follow one. */
  key: string
  /** Whether this principal may watch it; asked again when their role may have changed, so it costs no query. */
  permits(who: Principal): boolean
  /** The present value, also when nothing changes. */
  load(): Promise<object>
  render(value: object): string
}

/** A topic that is no state: everything is sent, in order, from a position on. */
export interface StreamTopic {
  name: string
  /** Frames as text; ends with the signal. */
  follow(signal: AbortSignal): AsyncIterable<string>
}

export const CLUSTER = 'gpu:cluster'

const anyone = () => true

/**
 * Opens a topic for somebody. `agentSeq`: the last frame that they have of an agent's session.
 * @returns undefined when there is no such topic
 * @throws AppError NOT_FOUND when it does not exist for this principal
 */
export async function openTopic(
  ctx: Core,
  who: Principal,
  name: string,
  agentSeq?: number,
): Promise<Topic | StreamTopic | undefined> {
  if (name === CLUSTER) {
    return { name, key: CLUSTER, permits: anyone, load: () => clusterOverview(ctx), render: renderCluster }
  }
  if (name.startsWith(NODE_TOPIC)) return nodeTopicOf(ctx, name)
  if (/^upload:[1-9]\d{0,8}$/.test(name)) return uploadTopicOf(ctx, who, name)
  if (name.startsWith(AGENT_TOPIC)) return agentTopicOf(ctx, who, name, agentSeq)
  if (name.startsWith('task:')) {
    const id = name.slice('task:'.length)
    return openTask(ctx, who, /^\d+$/.test(id) ? Number(id) : id)
  }
  return undefined
}

export const taskTopicName = (id: string | number): string => `task:${id}`

/** `id` is shown in every frame just as the client wrote it. */
export async function openTask(ctx: Core, who: Principal, id: string | number): Promise<Topic> {
  const { uuid, userId } = await getTask(ctx, who, id)
  const prefix = `{"type":"task_update","task_id":${JSON.stringify(id)},"data":`
  return {
    name: taskTopicName(id),
    key: taskTopic(uuid),
    permits: (who) => mayAccess(who, { userId }),
    load: async () => {
      const task = await getTask(ctx, who, uuid)
      return {
        attempt: task.attempt,
        progress: task.progress,
        current_item: task.currentItem,
      } satisfies TaskState
    },
    render: (value) => `${prefix}${dataText(value, toTaskUpdate)}}`,
  }
}

async function nodeTopicOf(ctx: Core, name: string): Promise<Topic> {
  const node = await getNode(ctx, name.slice(NODE_TOPIC.length))
  const prefix = `{"type":"gpu_update","key":${JSON.stringify(nodeTopic(node.uuid))},"server_id":"${node.uuid}","data":`
  return {
    name,
    key: nodeTopic(node.uuid),
    permits: anyone,
    load: async () => {
      const current = await getNode(ctx, node.uuid)
      const view = viewNode(ctx, current, (await runningByNode(ctx, [current.id])).get(current.id) ?? [])
      return {
        node_id: current.id,
        server_id: current.uuid,
        status: view.status,
        cpu_usage: view.cpu_usage,
        memory_usage: view.memory_usage,
        gpus: view.gpus,
        running_tasks: view.runningTasks,
        timestamp: view.lastHeartbeat ?? new Date().toISOString(),
      } satisfies NodeState
    },
    render: (value) => `${prefix}${dataText(value, toGpuUpdate)}}`,
  }
}

async function uploadTopicOf(ctx: Core, who: Principal, name: string): Promise<Topic> {
  const { id, userId } = await ownMaterial(ctx, who, Number(name.slice('upload:'.length)))
  const prefix = `{"type":"upload_update","key":"${name}","material_id":${id},"data":`
  return {
    name,
    key: uploadTopic(id),
    permits: (who) => mayManage(who, { userId }),
    load: async () => {
      const material = await ownMaterial(ctx, who, id)
      const known = ctx.bus.getState(uploadTopic(id)) as UploadState | undefined
      if (material.status === 'processing' && known) return known
      const done = material.status !== 'processing'
      return {
        status: material.status,
        bytes: material.fileSize,
        total: done ? material.fileSize : null,
        percent: done ? 100 : 0,
      } satisfies UploadState
    },
    render: (value) => `${prefix}${dataText(value, (state) => state)}}`,
  }
}

const AGENT_TOPIC = 'agent:'

/** Without a position: the newest run, from its first frame. */
async function agentTopicOf(
  ctx: Core,
  who: Principal,
  name: string,
  agentSeq: number | undefined,
): Promise<StreamTopic> {
  const session = await ownSession(ctx, who, name.slice(AGENT_TOPIC.length))
  const start = agentSeq ?? ((await latestRun(ctx, session.id))?.firstSeq ?? 1) - 1
  return {
    name,
    async *follow(signal) {
      for await (const { seq, runId, event } of ctx.agentFeed.follow(session.id, start, signal)) {
        yield `{"type":"agent_event","session_id":"${session.id}","run_id":"${runId}","seq":${seq},"event":${event}}`
      }
    },
  }
}

// The documented fields and no others: study.md, WebSocket. A GPU task has no item clock: zeros, never null.
const toTaskUpdate = (state: TaskState) => ({
  progress: state.progress,
  current_item: state.current_item,
  item_progress: 0,
  item_current_time: 0,
  item_total_time: 0,
})

const toGpuUpdate = ({ gpus, node_id: _, ...state }: NodeState) => ({ ...state, gpu_usage: gpus })

const renderCluster = (value: object) =>
  `{"type":"gpu_cluster","key":"${CLUSTER}","data":${dataText(value, (overview) => overview)}}`

const texts = new WeakMap<object, string>()

/** A value goes out to many watchers: its text is made once. */
function dataText<T extends object>(value: object, present: (value: T) => object): string {
  let text = texts.get(value)
  if (text === undefined) {
    text = JSON.stringify(present(value as T))
    texts.set(value, text)
  }
  return text
}
