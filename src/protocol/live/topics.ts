/**
 * Topics that a client can subscribe to, and the frames that follow. A state frame tells how something stands: it has no
 * cursor, and under load the server sends only the newest one of a topic. An agent's frames and the lines of a task's log are all
 * sent, in order; of the lines of the servers' log as many as a socket can take.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { described, Instant, nullable, oneOf, Percent } from '../schemas.ts'

/** The pattern of each kind of topic name. A name with an id that does not exist matches, too, because the answer to it is NOT_FOUND. */
export const TOPIC_PATTERNS = {
  task: '^task:([\\s\\S]*)$',
  taskStatus: '^task_status:([\\s\\S]*)$',
  cluster: '^gpu:cluster$',
  node: '^gpu:server:([\\s\\S]*)$',
  upload: '^upload:([1-9]\\d{0,8})$',
  photoUpload: '^upload:upload_([1-9]\\d{0,8})$',
  watermark: '^settings:watermark$',
  agent: '^agent:([\\s\\S]*)$',
  overview: '^system:overview$',
  systemLog: '^system:log$',
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
  taskStatus: {
    name: 'task_status:<id>',
    frames: ['task_status'],
    description:
      'The status of a task, by its number or its UUID. Its owner learns the same from events. For its owner and administrators.',
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
  overview: {
    name: 'system:overview',
    frames: ['system_update'],
    description:
      'How the server of this socket works, renewed every two seconds. For users with system.metrics.',
  },
  systemLog: {
    name: 'system:log',
    frames: ['system_log'],
    description:
      'The lines of the log of all servers from the subscription on, about a second after they were written. For users with log.read.',
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

export const TaskStatusData = Type.Object({
  status: oneOf('pending', 'running', 'paused', 'completed', 'failed', 'cancelled'),
})
export type TaskStatusData = Static<typeof TaskStatusData>

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

const Count = Type.Integer({ minimum: 0 })
const counted = (description: string) => described(Count, description)
/** What the database has to tell. */
const read = <P extends Record<string, TSchema>>(properties: P, description: string) =>
  described(nullable(Type.Object(properties)), `${description} Null when it could not be read.`)

export const SystemUpdateData = Type.Object({
  server: Type.String({ description: 'Host name and process id, as in the log.' }),
  at: described(Instant, 'When it was read.'),
  started_at: described(Instant, 'When the process started.'),
  sockets: Type.Object({
    user: Count,
    stranger: counted('Not signed in yet.'),
    node: Count,
  }),
  totals: Type.Object(
    {
      events_appended: counted('Events that this server wrote to channels.'),
      events_delivered: counted('Events that this server sent to sockets.'),
      states_sent: counted('States of topics that this server sent to sockets.'),
      requests: counted('Answered requests.'),
    },
    { description: 'Since the start of the process.' },
  ),
  jobs: read(
    {
      waiting: Count,
      later: counted('For a retry, or for a set time.'),
      running: Count,
      dead: counted('Given up in the last 30 days.'),
    },
    'Queued jobs of all servers.',
  ),
  gpu_tasks: read(
    { waiting: counted('For a GPU server.'), leased: counted('On a GPU server.') },
    'GPU tasks that have not ended.',
  ),
  nodes: read({ online: Count, draining: Count, offline: Count }, 'GPU servers.'),
  parts: described(
    Type.Array(
      Type.Object({
        name: oneOf('database', 'bus', 'storage', 'mail'),
        healthy: Type.Boolean(),
        latency_ms: Type.Number({ description: 'Of one round trip.' }),
      }),
    ),
    'Each part that this server uses, probed at most every 15 seconds. Empty until the first probe has ended.',
  ),
  memory_bytes: counted('Resident memory of the process.'),
  cpu_seconds: Type.Number({ description: 'Processor time since the start of the process.' }),
})
export type SystemUpdateData = Static<typeof SystemUpdateData>

export const SystemLogFrame = frame('system_log', 'A line of the log of a server.', {
  id: Type.String({ description: 'Differs between any two lines.' }),
  at: Instant,
  level: oneOf('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'),
  message: Type.String(),
  server: Type.String({ description: 'Host name and process id.' }),
  fields: Type.Unsafe<Record<string, unknown>>(
    Type.Object(
      {},
      {
        additionalProperties: true,
        description:
          'The other fields of the line. A line over 16 KB goes without them, and has omitted, its length. A line of the server about lines that it did not send has missing, their number.',
      },
    ),
  ),
})
export type SystemLogFrame = Static<typeof SystemLogFrame>

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
  frame('task_status', 'The status of a task.', { key, data: TaskStatusData }),
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
  frame('system_update', 'How the server of this socket works.', {
    key: Type.Literal('system:overview'),
    data: SystemUpdateData,
  }),
  SystemLogFrame,
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
