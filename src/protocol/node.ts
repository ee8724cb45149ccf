/**
 * Frames between a GPU node and the server on `GET /ws/node`, protocol version 1.
 * Memory is in GB, usage in percent, temperature in °C, power in W.
 * Both ends import this file: the server validates what nodes send, the node what the server sends.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

/** Largest frame a node may send: a `completed` with its result. Bytes of UTF-8. */
export const MAX_NODE_FRAME_BYTES = 512 * 1024

const Percent = Type.Number({ minimum: 0, maximum: 100 })
const Gigabytes = Type.Number({ minimum: 0, maximum: 1_000_000 })
const TaskId = Type.String({ minLength: 1, maxLength: 64 })
const Attempt = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
/** As a node names it, and as it is named in an answer: one that no task has is stale, like one that is over. */
const AnyAttempt = Type.Integer()
const GpuId = Type.Integer({ minimum: 0, maximum: 1023 })
const lease = { task_id: TaskId, attempt: Attempt }
const anyLease = { task_id: TaskId, attempt: AnyAttempt }

export const TaskType = Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,49}$' })
export const LogLevel = Type.Union([
  Type.Literal('DEBUG'),
  Type.Literal('INFO'),
  Type.Literal('WARNING'),
  Type.Literal('ERROR'),
  Type.Literal('CRITICAL'),
])

const frame = <N extends string, P extends Record<string, TSchema>>(type: N, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties })

const GpuName = Type.String({ maxLength: 200 })
const OwnLimit = Type.Integer({ minimum: 0, maximum: 1000 })
/** What a node may name of its GPUs. */
export const MAX_GPUS = 128

/** The first frame of a connection; `running` names every attempt the node still holds, finished ones too until acked. */
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
  running: Type.Array(Type.Object(anyLease), { maxItems: 1000 }),
})

/** One GPU as a heartbeat tells of it. `name`: for GPUs that appeared after `hello`. */
export const GpuFigures = Type.Object({
  gpu_id: GpuId,
  name: Type.Optional(GpuName),
  usage: Percent,
  memory_used: Gigabytes,
  memory_total: Gigabytes,
  temperature: Type.Optional(Type.Number({ minimum: -100, maximum: 300 })),
  power: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000 })),
})

/** `max_concurrent_tasks` follows the GPUs; absent: as in `hello`. */
export const heartbeatFields = {
  cpu_usage: Percent,
  memory_usage: Percent,
  max_concurrent_tasks: Type.Optional(OwnLimit),
  gpus: Type.Array(GpuFigures, { maxItems: MAX_GPUS }),
}
export const Heartbeat = frame('heartbeat', heartbeatFields)

export const Accept = frame('accept', anyLease)
/**
 * The node gives the task back, also after `accept`. `reason` is a word: `cannot_start` (the program can't be started:
 * `detail` says why, for administrators), `draining`, `busy`, `unknown task type`, or words of its own.
 */
export const Reject = frame('reject', {
  ...anyLease,
  reason: Type.String({ maxLength: 1000 }),
  detail: Type.Optional(Type.String({ maxLength: 1000 })),
})
export const Progress = frame('progress', {
  ...anyLease,
  progress: Percent,
  current_item: Type.Optional(Type.String({ maxLength: 500 })),
})
export const Log = frame('log', {
  ...anyLease,
  level: LogLevel,
  message: Type.String({ maxLength: 4000 }),
})
/** Repeated by the node until `ack`ed. `result` is a JSON object. */
export const Completed = frame('completed', {
  ...anyLease,
  result: Type.Record(Type.String(), Type.Unknown()),
})
/** Why a task failed, where the server has words of its own in the reader's language. */
export const FailureCode = Type.Union([
  /** The program ended by itself; it said nothing about why. */
  Type.Literal('exited'),
  Type.Literal('timed_out'),
  Type.Literal('cancelled'),
  Type.Literal('result_invalid'),
  Type.Literal('result_too_large'),
  Type.Literal('result_too_deep'),
])
/**
 * The node's final word on a task; repeated until `ack`ed. `error` is what the task said, or the node's own English
 * where it has a `code`. `exit_code` or `signal`: how the program ended. `seconds` belongs to `timed_out`, `limit` to
 * `result_too_large` (bytes) and `result_too_deep` (levels).
 */
export const Failed = frame('failed', {
  ...anyLease,
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

export const ServerFrame = Type.Union([
  frame('welcome', { server_id: Type.String(), heartbeat_seconds: Type.Number({ exclusiveMinimum: 0 }) }),
  frame('assign', {
    ...lease,
    /** The task's number. */
    id: Type.Optional(Type.Integer()),
    task_type: Type.String(),
    config: Type.Record(Type.String(), Type.Unknown()),
    estimated_duration: Type.Union([Type.Integer(), Type.Null()]),
  }),
  frame('cancel', anyLease),
  frame('drain', {}),
  frame('ack', anyLease),
  /**
   * `STALE_ATTEMPT`: the named attempt is no longer this node's; stop it and forget it. An answer to a frame about a
   * task names it.
   */
  Type.Object({
    type: Type.Literal('error'),
    code: Type.String(),
    message: Type.String(),
    task_id: Type.Optional(TaskId),
    attempt: Type.Optional(AnyAttempt),
  }),
  frame('draining', { reconnect_after_ms: Type.Integer({ minimum: 0 }) }),
])
export type ServerFrame = Static<typeof ServerFrame>
export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>

const nodeFrames = new Map<string, ReturnType<typeof TypeCompiler.Compile>>()
for (const schema of NodeFrame.anyOf)
  nodeFrames.set(schema.properties.type.const, TypeCompiler.Compile(schema))

/**
 * What is wrong with `value` as a frame that a node should send, in words for its log; undefined when it fits. The
 * server is more patient with figures: `node-frames.ts`.
 */
export function nodeFrameProblem(value: unknown): string | undefined {
  const type = (value as { type?: unknown } | null)?.type
  const check = typeof type === 'string' ? nodeFrames.get(type) : undefined
  if (!check) return 'unknown frame type'
  // The compiled check first: looking for an error walks the schema, for every frame.
  if (check.Check(value)) return undefined
  const error = check.Errors(value).First()
  return error && `${error.path || '/'}: ${error.message}`
}
