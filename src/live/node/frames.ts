/**
 * Reads frames of nodes. The server takes only declared fields with their types and lengths. It leaves out a figure that is not
 * possible (511 °C of a broken sensor) and accepts the rest; any other misfit refuses the frame.
 */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { HeardGpu, HeardReading } from '../../core/nodes/presence.ts'
import {
  GpuFigures,
  heartbeatFields,
  MAX_GPUS,
  NodeFrame,
  type NodeFrameOf,
  nodeFrameProblem,
} from '../../protocol/node/node-frames.ts'
import { isJsonObject } from '../../util/json.ts'

export type HeardHeartbeat = { type: 'heartbeat' } & HeardReading
export type HeardHello = Omit<NodeFrameOf<'hello'>, 'gpus'> & { gpus: HeardGpu[] }
export type HeardFrame = Exclude<NodeFrame, { type: 'hello' | 'heartbeat' }> | HeardHello | HeardHeartbeat

const schemas = new Map<string, TObject>(
  NodeFrame.anyOf.map((schema) => [schema.properties.type.const, schema]),
)
const checks = new Map<TSchema, TypeCheck<TSchema>>()

function fits(schema: TSchema, value: unknown): boolean {
  let check = checks.get(schema)
  if (!check) {
    check = TypeCompiler.Compile(schema)
    checks.set(schema, check)
  }
  return check.Check(value)
}

/** The declared fields that fit the schema. */
function fitting<T extends TObject>(schema: T, value: Record<string, unknown>): Partial<Static<T>> {
  const found = Object.entries(schema.properties).flatMap(([key, field]) =>
    Object.hasOwn(value, key) && fits(field, value[key]) ? [[key, value[key]]] : [],
  )
  return Object.fromEntries(found)
}

/** The declared fields; optional fields only when they fit the schema. */
function declared(schema: TObject, value: Record<string, unknown>): Record<string, unknown> {
  const required = new Set(schema.required)
  const found = Object.entries(schema.properties).flatMap(([key, field]) =>
    Object.hasOwn(value, key) && (required.has(key) || fits(field, value[key])) ? [[key, value[key]]] : [],
  )
  return Object.fromEntries(found)
}

function readGpu(figures: Partial<Static<typeof GpuFigures>> & { gpu_id: number }): HeardGpu {
  const { gpu_id: gpuId, memory_used: memoryUsed, memory_total: memoryTotal, ...rest } = figures
  return {
    gpuId,
    ...rest,
    ...(memoryUsed !== undefined && { memoryUsed }),
    ...(memoryTotal !== undefined && { memoryTotal }),
  }
}

/** Leaves out a GPU without an id, and a second GPU with the same id. */
function readGpus(value: unknown): HeardGpu[] | undefined {
  if (!Array.isArray(value)) return undefined
  const gpus = new Map<number, HeardGpu>()
  for (const one of value) {
    if (gpus.size === MAX_GPUS) break
    const figures = isJsonObject(one) ? fitting(GpuFigures, one) : {}
    if (figures.gpu_id !== undefined && !gpus.has(figures.gpu_id))
      gpus.set(figures.gpu_id, readGpu({ ...figures, gpu_id: figures.gpu_id }))
  }
  return [...gpus.values()]
}

/** Reads the figures of a heartbeat that came over a socket or REST. */
export function readHeartbeat(value: object): HeardReading {
  const { cpu_usage, memory_usage, max_concurrent_tasks } = fitting(Figures, { ...value })
  return {
    cpuUsage: cpu_usage,
    memoryUsage: memory_usage,
    maxConcurrentTasks: max_concurrent_tasks,
    gpus: readGpus((value as { gpus?: unknown }).gpus),
  }
}
const { gpus: _, ...figures } = heartbeatFields
const Figures = Type.Object(figures)

/** @returns the frame, or what is wrong with it and the attempt that it names */
export function readNodeFrame(
  heard: unknown,
): HeardFrame | { problem: string; task_id?: string; attempt?: number } {
  const value = isJsonObject(heard) ? heard : {}
  if (value.type === 'heartbeat') return { type: 'heartbeat', ...readHeartbeat(value) }
  const { task_id, attempt } = fitting(Named, value)
  const about = task_id !== undefined && attempt !== undefined && { task_id, attempt }
  const schema = typeof value.type === 'string' ? schemas.get(value.type) : undefined
  if (!schema) return { problem: 'unknown frame type', ...about }
  const frame = declared(schema, value)
  // The GPUs of `hello` are figures, too.
  const gpus = value.type === 'hello' ? (readGpus(value.gpus) ?? []) : undefined
  const problem = nodeFrameProblem(gpus ? { ...frame, gpus: [] } : frame)
  if (problem === undefined) return { ...frame, ...(gpus && { gpus }) } as HeardFrame
  return { problem, ...about }
}
const Named = Type.Object({ task_id: Type.String({ maxLength: 64 }), attempt: Type.Integer() })

/** The attempt that a frame names: the answer repeats it. */
export const attemptOf = (frame: HeardFrame): { task_id?: string; attempt?: number } =>
  'task_id' in frame ? { task_id: frame.task_id, attempt: frame.attempt } : {}
