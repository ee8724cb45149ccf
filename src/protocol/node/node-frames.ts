/**
 * Frames that a GPU node sends on `GET /ws/node`, protocol version 1. Memory is in GB, usage in percent, temperature in °C,
 * power in W.
 */
import { type Static, Type } from '@sinclair/typebox'
import { FrameCheck, frame } from '../frame.ts'
import { Percent } from '../schemas.ts'

/** Largest frame that a node may send: a `completed` with its result. Bytes of UTF-8. */
export const MAX_NODE_FRAME_BYTES = 512 * 1024

/** Names one attempt of a task. An attempt that no task has is answered like one that is over: `STALE_ATTEMPT`. */
export const attemptFields = {
  /** UUID. */
  task_id: Type.String({ minLength: 1, maxLength: 64 }),
  attempt: Type.Integer(),
}
const GpuId = Type.Integer({ minimum: 0, maximum: 1023 })
const Gigabytes = Type.Number({ minimum: 0, maximum: 1_000_000 })
export const TaskType = Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,49}$' })
export const LogLevel = Type.Union([
  Type.Literal('DEBUG'),
  Type.Literal('INFO'),
  Type.Literal('WARNING'),
  Type.Literal('ERROR'),
  Type.Literal('CRITICAL'),
])

const GpuName = Type.String({ maxLength: 200 })
const OwnLimit = Type.Integer({ minimum: 0, maximum: 1000 })
/** Most GPUs that a node may name. */
export const MAX_GPUS = 128

/**
 * The first frame of a connection. `running` names every attempt that the node holds, also an ended one that the server has
 * not acknowledged.
 */
export const Hello = frame('hello', {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  max_concurrent_tasks: OwnLimit,
  task_types: Type.Array(TaskType, { maxItems: 100 }),
  gpus: Type.Array(
    Type.Object({
      gpu_id: GpuId,
      name: GpuName,
      memory_total: Gigabytes,
    }),
    { maxItems: MAX_GPUS },
  ),
  running: Type.Array(Type.Object(attemptFields), { maxItems: 1000 }),
})

/** One GPU in a heartbeat. A GPU that appeared after `hello` has a `name`. */
export const GpuFigures = Type.Object({
  gpu_id: GpuId,
  name: Type.Optional(GpuName),
  usage: Percent,
  memory_used: Gigabytes,
  memory_total: Gigabytes,
  temperature: Type.Optional(Type.Number({ minimum: -100, maximum: 300 })),
  power: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000 })),
})

/** `max_concurrent_tasks` may change with the number of GPUs; without it the last one that the node named counts. */
export const heartbeatFields = {
  cpu_usage: Percent,
  memory_usage: Percent,
  max_concurrent_tasks: Type.Optional(OwnLimit),
  gpus: Type.Array(GpuFigures, { maxItems: MAX_GPUS }),
}
export const Heartbeat = frame('heartbeat', heartbeatFields)

export const Accept = frame('accept', attemptFields)
/**
 * The node gives the task back, also after `accept`. `reason` is `cannot_start` (the node could not start the program;
 * `detail` tells administrators why), `draining`, `busy`, `unknown task type` or a text of the node's own.
 */
export const Reject = frame('reject', {
  ...attemptFields,
  reason: Type.String({ maxLength: 1000 }),
  detail: Type.Optional(Type.String({ maxLength: 1000 })),
})
export const Progress = frame('progress', {
  ...attemptFields,
  progress: Percent,
  current_item: Type.Optional(Type.String({ maxLength: 500 })),
})
export const Log = frame('log', {
  ...attemptFields,
  level: LogLevel,
  message: Type.String({ maxLength: 4000 }),
})
/** The node repeats this frame until the server sends `ack`. `result` is a JSON object. */
export const Completed = frame('completed', {
  ...attemptFields,
  result: Type.Record(Type.String(), Type.Unknown()),
})
/** Why a task failed, for causes that the server can name in the reader's language. */
export const FailureCode = Type.Union([
  /** The program ended by itself and gave no reason. */
  Type.Literal('exited'),
  Type.Literal('timed_out'),
  Type.Literal('cancelled'),
  Type.Literal('result_invalid'),
  Type.Literal('result_too_large'),
  Type.Literal('result_too_deep'),
])
/**
 * The task failed. The node repeats this frame until the server sends `ack`. `error` is the text of the task, or an English
 * text of the node when there is a `code`. `exit_code` or `signal` tell how the program ended. `seconds` belongs to
 * `timed_out`, `limit` to `result_too_large` (bytes) and `result_too_deep` (levels).
 */
export const Failed = frame('failed', {
  ...attemptFields,
  error: Type.String({ minLength: 1, maxLength: 4000 }),
  code: Type.Optional(FailureCode),
  exit_code: Type.Optional(Type.Integer({ minimum: -2_147_483_648, maximum: 4_294_967_295 })),
  signal: Type.Optional(Type.String({ pattern: '^SIG[A-Z0-9+]{1,20}$' })),
  seconds: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000_000 })),
  limit: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000_000_000 })),
})

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
