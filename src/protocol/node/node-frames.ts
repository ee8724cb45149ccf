/**
 * Frames that a GPU node sends on `GET /ws/node`, protocol version 1. Memory is in GB, usage in percent, temperature in °C,
 * power in W.
 */
import { type Static, Type } from '@sinclair/typebox'
import { FrameCheck, frame } from '../frame.ts'
import { described, Percent } from '../schemas.ts'

/** Largest frame that a node may send: a `completed` with its result. Bytes of UTF-8. */
export const MAX_NODE_FRAME_BYTES = 512 * 1024

/** Names one attempt of a task. An attempt that no task has is answered like one that is over: `STALE_ATTEMPT`. */
export const attemptFields = {
  task_id: Type.String({ minLength: 1, maxLength: 64, description: 'The UUID of the task.' }),
  attempt: Type.Integer({ description: 'Grows with every lease of the task.' }),
}
const GpuId = Type.Integer({ minimum: 0, maximum: 1023 })
const Gigabytes = Type.Number({ minimum: 0, maximum: 1_000_000, description: 'GB.' })
export const TaskType = Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,49}$' })
export const LogLevel = Type.Union([
  Type.Literal('DEBUG'),
  Type.Literal('INFO'),
  Type.Literal('WARNING'),
  Type.Literal('ERROR'),
  Type.Literal('CRITICAL'),
])

const GpuName = Type.String({ maxLength: 200 })
const OwnLimit = Type.Integer({
  minimum: 0,
  maximum: 1000,
  description: 'How many tasks the node takes at a time. Without it the last one that the node named counts.',
})
/** Most GPUs that a node may name. */
export const MAX_GPUS = 128

export const Hello = frame('hello', 'The first frame of a connection, within ten seconds.', {
  name: Type.String({ minLength: 1, maxLength: 100, description: 'The name of the machine.' }),
  max_concurrent_tasks: described(OwnLimit, 'How many tasks the node takes at a time.'),
  task_types: Type.Array(TaskType, {
    maxItems: 100,
    description: 'The types of tasks that the node can run.',
  }),
  gpus: Type.Array(
    Type.Object({
      gpu_id: GpuId,
      name: GpuName,
      memory_total: Gigabytes,
    }),
    { maxItems: MAX_GPUS },
  ),
  running: Type.Array(Type.Object(attemptFields), {
    maxItems: 1000,
    description: 'Every attempt that the node holds, also an ended one that the server has not acknowledged.',
  }),
})

/** One GPU in a heartbeat. */
export const GpuFigures = Type.Object({
  gpu_id: GpuId,
  name: Type.Optional(described(GpuName, 'Of a GPU that appeared after hello.')),
  usage: described(Percent, 'Percent.'),
  memory_used: Gigabytes,
  memory_total: Gigabytes,
  temperature: Type.Optional(Type.Number({ minimum: -100, maximum: 300, description: '°C.' })),
  power: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000, description: 'W.' })),
})

export const heartbeatFields = {
  cpu_usage: described(Percent, 'Percent.'),
  memory_usage: described(Percent, 'Percent.'),
  max_concurrent_tasks: Type.Optional(OwnLimit),
  gpus: Type.Array(GpuFigures, { maxItems: MAX_GPUS }),
}
export const Heartbeat = frame(
  'heartbeat',
  'The node is there, with its figures. It sends one every heartbeat_seconds; the number of its GPUs and places may change with it.',
  heartbeatFields,
)

export const Accept = frame('accept', 'The node has taken a task, which runs.', attemptFields)
export const Reject = frame('reject', 'The node gives a task back, also after accept.', {
  ...attemptFields,
  reason: Type.String({
    maxLength: 1000,
    description:
      'cannot_start (the node could not start the program), draining, busy, unknown task type, or a text of the node’s own.',
  }),
  detail: Type.Optional(Type.String({ maxLength: 1000, description: 'Tells administrators why.' })),
})
export const Progress = frame('progress', 'How far a task is.', {
  ...attemptFields,
  progress: described(Percent, 'Percent.'),
  current_item: Type.Optional(Type.String({ maxLength: 500, description: 'What the task is at.' })),
})
export const Log = frame('log', 'A line of the log of a task.', {
  ...attemptFields,
  level: LogLevel,
  message: Type.String({ maxLength: 4000 }),
})
export const Completed = frame(
  'completed',
  'The task has ended. The node repeats this frame until the server sends ack.',
  { ...attemptFields, result: Type.Record(Type.String(), Type.Unknown(), { description: 'A JSON object.' }) },
)
export const FailureCode = Type.Union(
  [
    Type.Literal('exited'),
    Type.Literal('timed_out'),
    Type.Literal('cancelled'),
    Type.Literal('result_invalid'),
    Type.Literal('result_too_large'),
    Type.Literal('result_too_deep'),
  ],
  {
    description:
      'A cause that the server names in the reader’s language. exited: the program ended by itself and gave no reason.',
  },
)
export const Failed = frame(
  'failed',
  'The task failed. The node repeats this frame until the server sends ack.',
  {
    ...attemptFields,
    error: Type.String({
      minLength: 1,
      maxLength: 4000,
      description: 'The text of the task, or an English text of the node when there is a code.',
    }),
    code: Type.Optional(FailureCode),
    exit_code: Type.Optional(Type.Integer({ minimum: -2_147_483_648, maximum: 4_294_967_295 })),
    signal: Type.Optional(
      Type.String({
        pattern: '^SIG[A-Z0-9+]{1,20}$',
        description: 'How the program ended, in place of exit_code.',
      }),
    ),
    seconds: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1_000_000_000, description: 'Of timed_out: the limit.' }),
    ),
    limit: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1_000_000_000_000,
        description: 'Of result_too_large (bytes) and result_too_deep (levels).',
      }),
    ),
  },
)

export const NodeFrame = Type.Union([Hello, Heartbeat, Accept, Reject, Progress, Log, Completed, Failed])
export type NodeFrame = Static<typeof NodeFrame>
export type NodeFrameOf<T extends NodeFrame['type']> = Extract<NodeFrame, { type: T }>
export type HeartbeatBody = Omit<NodeFrameOf<'heartbeat'>, 'type'>

const check = new FrameCheck(NodeFrame, 'unknown frame type')

/**
 * What is wrong with `value` as a frame of a node, in English; undefined when it fits. The server accepts more figures
 * than the schemas do: `live/node/frames.ts`.
 */
export const nodeFrameProblem = (value: unknown): string | undefined => check.problem(value)
