/**
 * Topics that a client can subscribe to, and the frames that follow. A state frame tells how something stands: it has no
 * cursor, and under load the server sends only the newest one of a topic. An agent's frames and the lines of a task's log are all
 * sent, in order.
 */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { Instant, nullable, oneOf, Percent } from '../schemas.ts'

/**
 * The pattern of each kind of topic name. `<id>` of a task: its integer or its UUID. A name with an id that does not exist
 * matches, too, because the answer to it is NOT_FOUND.
 */
export const TOPIC_PATTERNS = {
  /** `task:<id>` */
  task: '^task:([\\s\\S]*)$',
  /** `gpu:cluster` */
  cluster: '^gpu:cluster$',
  /** `gpu:server:<uuid>` */
  node: '^gpu:server:([\\s\\S]*)$',
  /** `upload:<material id>` */
  upload: '^upload:([1-9]\\d{0,8})$',
  /** `upload:<file id of a photo>` */
  photoUpload: '^upload:upload_([1-9]\\d{0,8})$',
  /** `settings:watermark` */
  watermark: '^settings:watermark$',
  /** `agent:<session id>` */
  agent: '^agent:([\\s\\S]*)$',
} as const

/** `current_item` and the clock of the item belong to study tasks; a GPU task has zeros. Percent and seconds. */
export const TaskUpdateData = Type.Object({
  progress: Percent,
  current_item: Type.String(),
  item_progress: Type.Number(),
  item_current_time: Type.Number(),
  item_total_time: Type.Number(),
})
export type TaskUpdateData = Static<typeof TaskUpdateData>

/** Bytes of the file that the server has; `total` is the length of the request, null when the client did not name it. */
export const UploadUpdateData = Type.Object({
  status: oneOf('processing', 'active', 'hidden', 'failed'),
  bytes: Type.Integer({ minimum: 0 }),
  total: nullable(Type.Integer({ minimum: 0 })),
  percent: Percent,
})
export type UploadUpdateData = Static<typeof UploadUpdateData>

/**
 * A photo's file. `step` is the one that runs, or in which a failed file has failed; otherwise the last one that is complete.
 * `percent` is of the whole way, of which receiving the bytes is a quarter. `bytes` and `total` as above; once the file is
 * complete, both are its size.
 */
export const PhotoUploadUpdateData = Type.Object({
  status: oneOf('uploading', 'uploaded', 'processing', 'completed', 'failed'),
  step: oneOf('uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'),
  bytes: Type.Integer({ minimum: 0 }),
  total: nullable(Type.Integer({ minimum: 0 })),
  percent: Percent,
})
export type PhotoUploadUpdateData = Static<typeof PhotoUploadUpdateData>

/** One GPU. Memory in GB, usage in percent, temperature in °C, power in W. */
export const GpuUsage = Type.Object({
  gpu_id: Type.Integer(),
  name: Type.Optional(Type.String()),
  usage: Type.Number(),
  memory_used: Type.Number(),
  memory_total: Type.Number(),
  temperature: Type.Optional(Type.Number()),
  power: Type.Optional(Type.Number()),
})
export type GpuUsage = Static<typeof GpuUsage>

/** `timestamp`: when the server last heard the node. */
export const NodeUpdateData = Type.Object({
  server_id: Type.String(),
  status: oneOf('online', 'offline', 'draining'),
  cpu_usage: Type.Number(),
  memory_usage: Type.Number(),
  gpu_usage: Type.Array(GpuUsage),
  running_tasks: Type.Array(Type.Object({ task_id: Type.String(), progress: Percent })),
  timestamp: Instant,
})
export type NodeUpdateData = Static<typeof NodeUpdateData>

/** GPUs and memory are those of servers that are online. Memory in GB. */
export const ClusterUpdateData = Type.Object({
  total_servers: Type.Integer(),
  online_servers: Type.Integer(),
  offline_servers: Type.Integer(),
  total_gpus: Type.Integer(),
  busy_gpus: Type.Integer(),
  idle_gpus: Type.Integer(),
  total_running_tasks: Type.Integer(),
  queue_length: Type.Integer(),
  average_gpu_usage: Type.Number(),
  total_memory: Type.Number(),
  used_memory: Type.Number(),
})
export type ClusterUpdateData = Static<typeof ClusterUpdateData>

/**
 * How far the photos have followed the last change of the watermark; `idle` when there was none. `total` is 0 until the photos
 * have been counted. `done` includes those that `failed`.
 */
export const WatermarkUpdateData = Type.Object({
  status: oneOf('idle', 'running', 'completed'),
  total: Type.Integer({ minimum: 0 }),
  done: Type.Integer({ minimum: 0 }),
  failed: Type.Integer({ minimum: 0 }),
  percent: Percent,
})
export type WatermarkUpdateData = Static<typeof WatermarkUpdateData>

/**
 * A line of a task's log. `position` grows with each line of the task, with gaps. `task_id` as the client wrote it when it
 * subscribed.
 */
export const TaskLogFrame = frame('task_log', {
  task_id: Type.Union([Type.String(), Type.Number()]),
  position: Type.Integer({ minimum: 1 }),
  attempt: Type.Integer({ minimum: 0 }),
  level: Type.String(),
  message: Type.String(),
  at: Instant,
})
export type TaskLogFrame = Static<typeof TaskLogFrame>

export const StateFrame = Type.Union([
  /** `task_id` as the client wrote it when it subscribed. */
  frame('task_update', { task_id: Type.Union([Type.String(), Type.Number()]), data: TaskUpdateData }),
  TaskLogFrame,
  frame('upload_update', { key: Type.String(), material_id: Type.Integer(), data: UploadUpdateData }),
  frame('upload_update', { key: Type.String(), file_id: Type.String(), data: PhotoUploadUpdateData }),
  frame('gpu_update', { key: Type.String(), server_id: Type.String(), data: NodeUpdateData }),
  frame('watermark_update', { key: Type.Literal('settings:watermark'), data: WatermarkUpdateData }),
  frame('gpu_cluster', { key: Type.Literal('gpu:cluster'), data: ClusterUpdateData }),
  /** `event` is an AG-UI event; `seq` grows without gaps over all runs of a session. */
  frame('agent_event', {
    session_id: Type.String(),
    run_id: Type.String(),
    seq: Type.Integer({ minimum: 1 }),
    event: Type.Object({ type: Type.String() }, { additionalProperties: true }),
  }),
])
export type StateFrame = Static<typeof StateFrame>
