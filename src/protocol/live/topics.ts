/**
 * Topics that a client can subscribe to, and the frames that follow. A state frame tells how something stands: it has no
 * cursor, and under load the server sends only the newest one of a topic. An agent's frames and the lines of a task's log are all
 * sent, in order.
 */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { described, Instant, nullable, oneOf, Percent } from '../schemas.ts'

/** The pattern of each kind of topic name. A name with an id that does not exist matches, too, because the answer to it is NOT_FOUND. */
export const TOPIC_PATTERNS = {
  task: '^task:([\\s\\S]*)$',
  cluster: '^gpu:cluster$',
  node: '^gpu:server:([\\s\\S]*)$',
  upload: '^upload:([1-9]\\d{0,8})$',
  photoUpload: '^upload:upload_([1-9]\\d{0,8})$',
  watermark: '^settings:watermark$',
  agent: '^agent:([\\s\\S]*)$',
} as const

interface Topic {
  /** As documents write it, with `<…>` for what differs. */
  name: string
  /** The types of the frames that follow a subscription. */
  frames: readonly string[]
  description: string
}

/** For the documentation: each kind of topic. */
export const TOPICS: Record<keyof typeof TOPIC_PATTERNS, Topic> = {
  task: {
    name: 'task:<id>',
    frames: ['task_update', 'task_log'],
    description:
      'A task, by its number or its UUID: its progress, and every line of its log. For its owner and administrators.',
  },
  cluster: {
    name: 'gpu:cluster',
    frames: ['gpu_cluster'],
    description: 'The figures of all GPU servers together. For every user.',
  },
  node: {
    name: 'gpu:server:<uuid>',
    frames: ['gpu_update'],
    description: 'The figures of one GPU server. For every user.',
  },
  upload: {
    name: 'upload:<material id>',
    frames: ['upload_update'],
    description: 'The file of a material while the server receives it. For its owner and administrators.',
  },
  photoUpload: {
    name: 'upload:upload_<number>',
    frames: ['upload_update'],
    description:
      'The file of a photo, by its file_id: receiving and processing. For its owner and users with photo.*.',
  },
  watermark: {
    name: 'settings:watermark',
    frames: ['watermark_update'],
    description:
      'How far the photos have followed the last change of the watermark. For users with settings.read.',
  },
  agent: {
    name: 'agent:<session id>',
    frames: ['agent_event'],
    description: 'A conversation with the agent: every event, in order. For the user of the session.',
  },
}

const StudyOnly = (description: string) => Type.Number({ description: `${description} 0 for a GPU task.` })

export const TaskUpdateData = Type.Object({
  progress: described(Percent, 'Percent of the whole task.'),
  current_item: Type.String({ description: 'What the task is at. Empty when unknown.' }),
  item_progress: StudyOnly('Percent of the current item.'),
  item_current_time: StudyOnly('Position in the current item, in seconds.'),
  item_total_time: StudyOnly('Length of the current item, in seconds.'),
})
export type TaskUpdateData = Static<typeof TaskUpdateData>

const bytes = Type.Integer({ minimum: 0, description: 'Bytes of the file that the server has.' })
const total = described(
  nullable(Type.Integer({ minimum: 0 })),
  'The length of the request in bytes; null when the client did not name it.',
)

export const UploadUpdateData = Type.Object({
  status: oneOf('processing', 'active', 'hidden', 'failed'),
  bytes,
  total,
  percent: Percent,
})
export type UploadUpdateData = Static<typeof UploadUpdateData>

export const PhotoUploadUpdateData = Type.Object({
  status: oneOf('uploading', 'uploaded', 'processing', 'completed', 'failed'),
  step: described(
    oneOf('uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'),
    'The step that runs, or in which a failed file has failed; otherwise the last one that is complete.',
  ),
  bytes,
  total: described(total, `${total.description} Once the file is complete, its size.`),
  percent: described(Percent, 'Percent of the whole way, of which receiving the bytes is a quarter.'),
})
export type PhotoUploadUpdateData = Static<typeof PhotoUploadUpdateData>

const Gigabytes = Type.Number({ description: 'GB.' })

/** One GPU. */
export const GpuUsage = Type.Object({
  gpu_id: Type.Integer(),
  name: Type.Optional(Type.String()),
  usage: Type.Number({ description: 'Percent.' }),
  memory_used: Gigabytes,
  memory_total: Gigabytes,
  temperature: Type.Optional(Type.Number({ description: '°C.' })),
  power: Type.Optional(Type.Number({ description: 'W.' })),
})
export type GpuUsage = Static<typeof GpuUsage>

export const NodeUpdateData = Type.Object({
  server_id: Type.String(),
  status: oneOf('online', 'offline', 'draining'),
  cpu_usage: Type.Number({ description: 'Percent.' }),
  memory_usage: Type.Number({ description: 'Percent.' }),
  gpu_usage: Type.Array(GpuUsage),
  running_tasks: Type.Array(Type.Object({ task_id: Type.String(), progress: Percent })),
  timestamp: described(Instant, 'When the server last heard the node. RFC 3339 in UTC.'),
})
export type NodeUpdateData = Static<typeof NodeUpdateData>

/** GPUs and memory are those of servers that are online. */
export const ClusterUpdateData = Type.Object({
  total_servers: Type.Integer(),
  online_servers: Type.Integer(),
  offline_servers: Type.Integer(),
  total_gpus: Type.Integer({ description: 'Of the servers that are online.' }),
  busy_gpus: Type.Integer(),
  idle_gpus: Type.Integer(),
  total_running_tasks: Type.Integer(),
  queue_length: Type.Integer({ description: 'Tasks that wait for a GPU server.' }),
  average_gpu_usage: Type.Number({ description: 'Percent.' }),
  total_memory: Gigabytes,
  used_memory: Gigabytes,
})
export type ClusterUpdateData = Static<typeof ClusterUpdateData>

export const WatermarkUpdateData = Type.Object({
  status: described(oneOf('idle', 'running', 'completed'), 'idle: the watermark has not been changed.'),
  total: Type.Integer({ minimum: 0, description: '0 until the photos have been counted.' }),
  done: Type.Integer({ minimum: 0, description: 'Photos that have followed, those that failed too.' }),
  failed: Type.Integer({ minimum: 0 }),
  percent: Percent,
})
export type WatermarkUpdateData = Static<typeof WatermarkUpdateData>

const task_id = Type.Union([Type.String(), Type.Number()], {
  description: 'As the client wrote it when it subscribed.',
})

export const TaskLogFrame = frame('task_log', 'A line of the log of a task.', {
  task_id,
  position: Type.Integer({
    minimum: 1,
    description: 'Grows with each line of the task, with gaps. log_position of subscribe goes on from it.',
  }),
  attempt: Type.Integer({ minimum: 0, description: 'The attempt of the task that wrote the line.' }),
  level: Type.String(),
  message: Type.String(),
  at: Instant,
})
export type TaskLogFrame = Static<typeof TaskLogFrame>

const key = Type.String({ description: 'The name of the topic.' })

export const StateFrame = Type.Union([
  frame('task_update', 'How far a task is.', { task_id, data: TaskUpdateData }),
  TaskLogFrame,
  frame('upload_update', 'How far an upload is: a material has material_id, a photo has file_id.', {
    key,
    material_id: Type.Integer(),
    data: UploadUpdateData,
  }),
  frame('upload_update', 'How far the file of a photo is.', {
    key,
    file_id: Type.String(),
    data: PhotoUploadUpdateData,
  }),
  frame('gpu_update', 'The figures of a GPU server.', {
    key,
    server_id: Type.String(),
    data: NodeUpdateData,
  }),
  frame('watermark_update', 'How far the photos have followed the last change of the watermark.', {
    key: Type.Literal('settings:watermark'),
    data: WatermarkUpdateData,
  }),
  frame('gpu_cluster', 'The figures of all GPU servers together.', {
    key: Type.Literal('gpu:cluster'),
    data: ClusterUpdateData,
  }),
  frame('agent_event', 'An event of an answer of the agent.', {
    session_id: Type.String(),
    run_id: Type.String(),
    seq: Type.Integer({ minimum: 1, description: 'Grows without gaps over all runs of a session.' }),
    event: Type.Object(
      { type: Type.String() },
      { additionalProperties: true, description: 'An AG-UI event: docs.ag-ui.com.' },
    ),
  }),
])
export type StateFrame = Static<typeof StateFrame>
