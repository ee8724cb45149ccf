/** What can be watched: who may, under which key its state changes, how it stands, and how a value becomes a frame. */
import type { Principal } from '../../core/accounts/principals.ts'
import { latestRun, ownSession } from '../../core/agent/sessions.ts'
import type { Context } from '../../core/context.ts'
import { mayManage } from '../../core/materials/materials.ts'
import { ownMaterial, presentUploads, type UploadState, uploadTopic } from '../../core/materials/uploads.ts'
import { getNode } from '../../core/nodes/nodes.ts'
import {
  clusterOverview,
  NODE_TOPIC,
  type NodeState,
  nodeTopic,
  presentNodes,
  shownGpu,
} from '../../core/nodes/presence.ts'
import { presentProgress, type TaskState, taskTopic } from '../../core/tasks/progress.ts'
import { getTask, mayAccess } from '../../core/tasks/tasks.ts'

/** How topics of one kind stand, by key, however many they are; what is gone is absent. */
export type Look = (ctx: Context, keys: string[]) => Promise<Map<string, object>>

export interface Topic {
  /** As the client named it; identifies the subscription on its socket. */
  name: string
  /** The state it follows; several names may follow one. */
  key: string
  /** Whether this principal may watch it; asked again when their role may have changed, so it costs no query. */
  permits(who: Principal): boolean
  look: Look
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
  ctx: Context,
  who: Principal,
  name: string,
  agentSeq?: number,
): Promise<Topic | StreamTopic | undefined> {
  if (name === CLUSTER) {
    return { name, key: CLUSTER, permits: anyone, look: lookAtCluster, render: renderCluster }
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
export async function openTask(ctx: Context, who: Principal, id: string | number): Promise<Topic> {
  const { uuid, userId } = await getTask(ctx, who, id)
  const prefix = `{"type":"task_update","task_id":${JSON.stringify(id)},"data":`
  return {
    name: taskTopicName(id),
    key: taskTopic(uuid),
    permits: (who) => mayAccess(who, { userId }),
    look: lookAtTasks,
    render: (value) => `${prefix}${dataText(value, toTaskUpdate)}}`,
  }
}

async function nodeTopicOf(ctx: Context, name: string): Promise<Topic> {
  const node = await getNode(ctx, name.slice(NODE_TOPIC.length))
  const prefix = `{"type":"gpu_update","key":${JSON.stringify(nodeTopic(node.uuid))},"server_id":"${node.uuid}","data":`
  return {
    name,
    key: nodeTopic(node.uuid),
    permits: anyone,
    look: lookAtNodes,
    render: (value) => `${prefix}${dataText(value, toGpuUpdate)}}`,
  }
}

async function uploadTopicOf(ctx: Context, who: Principal, name: string): Promise<Topic> {
  const { id, userId } = await ownMaterial(ctx, who, Number(name.slice('upload:'.length)))
  const prefix = `{"type":"upload_update","key":"${name}","material_id":${id},"data":`
  return {
    name,
    key: uploadTopic(id),
    permits: (who) => mayManage(who, { userId }),
    look: lookAtUploads,
    render: (value) => `${prefix}${dataText(value, toUploadUpdate)}}`,
  }
}

const lookAtCluster: Look = async (ctx) => new Map([[CLUSTER, await clusterOverview(ctx)]])
const lookAtTasks = lookAt(presentProgress, taskTopic, (key) => key.slice(taskTopic('').length))
const lookAtNodes = lookAt(presentNodes, nodeTopic, (key) => key.slice(NODE_TOPIC.length))
const lookAtUploads = lookAt(presentUploads, uploadTopic, (key) => Number(key.slice('upload:'.length)))

function lookAt<Id>(
  present: (ctx: Context, ids: Id[]) => Promise<Map<Id, object>>,
  toKey: (id: Id) => string,
  toId: (key: string) => Id,
): Look {
  return async (ctx, keys) => {
    const states = await present(ctx, keys.map(toId))
    return new Map([...states].map(([id, state]) => [toKey(id), state]))
  }
}

const AGENT_TOPIC = 'agent:'

/** Without a position: the newest run, from its first frame. */
async function agentTopicOf(
  ctx: Context,
  who: Principal,
  name: string,
  agentSeq: number | undefined,
): Promise<StreamTopic> {
  const session = await ownSession(ctx, who, name.slice(AGENT_TOPIC.length))
  const start = agentSeq ?? ((await latestRun(ctx, session.id))?.firstSeq ?? 1) - 1
  return {
    name,
    async *follow(signal) {
      for await (const { seq, runId, event } of ctx.services.agentFeed.follow(session.id, start, signal)) {
        yield `{"type":"agent_event","session_id":"${session.id}","run_id":"${runId}","seq":${seq},"event":${event}}`
      }
    },
  }
}

// These fields and no others: docs/contracts/study.md, "Task updates". A GPU task has no item clock: zeros, never null.
const toTaskUpdate = (state: Pick<TaskState, 'progress' | 'current_item'>) => ({
  progress: state.progress,
  current_item: state.current_item,
  item_progress: 0,
  item_current_time: 0,
  item_total_time: 0,
})

const toGpuUpdate = (state: NodeState) => ({
  server_id: state.server_id,
  status: state.status,
  cpu_usage: state.cpu_usage,
  memory_usage: state.memory_usage,
  gpu_usage: state.gpus.map(shownGpu),
  running_tasks: state.running_tasks.map(({ task_id, progress }) => ({ task_id, progress })),
  timestamp: state.timestamp,
})

const toUploadUpdate = ({ status, bytes, total, percent }: UploadState) => ({ status, bytes, total, percent })

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
