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
const GpuId = Type.Integer({ minimum: 0, maximum: 1023 })
const lease = { task_id: TaskId, attempt: Attempt }

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

/** The first frame of a connection; `running` names every attempt the node still holds, finished ones too until acked. */
export const Hello = frame('hello', {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  max_concurrent_tasks: Type.Integer({ minimum: 0, maximum: 1000 }),
  task_types: Type.Array(TaskType, { maxItems: 100 }),
  gpus: Type.Array(
    Type.Object({
      gpu_id: GpuId,
      name: Type.String({ maxLength: 200 }),
      memory_total: Gigabytes,
    }),
    { maxItems: 128 },
  ),
  running: Type.Array(Type.Object(lease), { maxItems: 1000 }),
})

export const heartbeatFields = {
  cpu_usage: Percent,
  memory_usage: Percent,
  gpus: Type.Array(
    Type.Object({
      gpu_id: GpuId,
      usage: Percent,
      memory_used: Gigabytes,
      memory_total: Gigabytes,
      temperature: Type.Optional(Type.Number({ minimum: -100, maximum: 300 })),
      power: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000 })),
    }),
    { maxItems: 128 },
  ),
}
export const Heartbeat = frame('heartbeat', heartbeatFields)

export const Accept = frame('accept', lease)
export const Reject = frame('reject', { ...lease, reason: Type.String({ maxLength: 1000 }) })
export const Progress = frame('progress', {
  ...lease,
  progress: Percent,
  current_item: Type.Optional(Type.String({ maxLength: 500 })),
})
export const Log = frame('log', { ...lease, level: LogLevel, message: Type.String({ maxLength: 4000 }) })
/** Repeated by the node until `ack`ed. `result` is a JSON object. */
export const Completed = frame('completed', { ...lease, result: Type.Record(Type.String(), Type.Unknown()) })
/** The node's final word on a task; repeated until `ack`ed. */
export const Failed = frame('failed', { ...lease, error: Type.String({ minLength: 1, maxLength: 4000 }) })

export const NodeFrame = Type.Union([Hello, Heartbeat, Accept, Reject, Progress, Log, Completed, Failed])
export type NodeFrame = Static<typeof NodeFrame>
export type NodeFrameOf<T extends NodeFrame['type']> = Extract<NodeFrame, { type: T }>
export type HeartbeatBody = Omit<NodeFrameOf<'heartbeat'>, 'type'>

export const ServerFrame = Type.Union([
  frame('welcome', { server_id: Type.String(), heartbeat_seconds: Type.Number({ exclusiveMinimum: 0 }) }),
  frame('assign', {
    ...lease,
    task_type: Type.String(),
    config: Type.Record(Type.String(), Type.Unknown()),
    estimated_duration: Type.Union([Type.Integer(), Type.Null()]),
  }),
  frame('cancel', lease),
  frame('drain', {}),
  frame('ack', lease),
  /** `STALE_ATTEMPT`: the named attempt is no longer this node's; stop it and forget it. */
  Type.Object({
    type: Type.Literal('error'),
    code: Type.String(),
    message: Type.String(),
    task_id: Type.Optional(TaskId),
    attempt: Type.Optional(Attempt),
  }),
  frame('draining', { reconnect_after_ms: Type.Integer({ minimum: 0 }) }),
])
export type ServerFrame = Static<typeof ServerFrame>
export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>

const nodeFrames = new Map<string, ReturnType<typeof TypeCompiler.Compile>>()
for (const schema of NodeFrame.anyOf)
  nodeFrames.set(schema.properties.type.const, TypeCompiler.Compile(schema))

/** What is wrong with `value` as a node frame, in words for the node's log; undefined when it fits. */
export function nodeFrameProblem(value: unknown): string | undefined {
  const type = (value as { type?: unknown } | null)?.type
  const check = typeof type === 'string' ? nodeFrames.get(type) : undefined
  if (!check) return 'unknown frame type'
  // The compiled check first: looking for an error walks the schema, for every frame.
  if (check.Check(value)) return undefined
  const error = check.Errors(value).First()
  return error && `${error.path || '/'}: ${error.message}`
}
