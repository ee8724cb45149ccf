import { type HeartbeatBody, MAX_GPUS } from '../protocol/node/node-frames.ts'
import { cutText } from '../util/cut.ts'

/** One GPU in `hello` and `heartbeat`. Memory in GB (here 1024 MiB), usage in percent, temperature in °C, power in W. */
export type Gpu = HeartbeatBody['gpus'][number] & {
  name: string
  /** Read only when the operator names GPUs by UUID. */
  uuid?: string
}

export const QUERY = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw'
/** The same, with the UUID that `CUDA_VISIBLE_DEVICES=GPU-…` names. */
export const QUERY_WITH_UUID = `${QUERY},uuid`

/** Limits of the protocol. */
const MAX_GPU_ID = 1023
const MAX_NAME = 200
const MAX_GIGABYTES = 1_000_000
/** The range of a working sensor. Broken ones answer 511 °C or 4294967 W. */
const TEMPERATURES = { min: -50, max: 200 }
const POWERS = { min: 0, max: 10_000 }

/**
 * One line of CSV for each GPU; other lines (warnings) are skipped. A figure that the driver does not know (`[N/A]`) or that
 * is not possible is 0 for usage and memory, and is left out for temperature and power.
 */
export function parseGpus(lines: string[]): Gpu[] {
  const gpus = new Map<number, Gpu>()
  for (const line of lines) {
    const gpu = parseGpu(line)
    if (gpu && !gpus.has(gpu.gpu_id)) gpus.set(gpu.gpu_id, gpu)
  }
  return [...gpus.values()].toSorted((a, b) => a.gpu_id - b.gpu_id).slice(0, MAX_GPUS)
}

function parseGpu(line: string): Gpu | undefined {
  const fields = line.split(',').map((field) => field.trim())
  const uuid = /^GPU-/.test(fields.at(-1) ?? '') ? fields.pop() : undefined
  const index = fields[0] ?? ''
  if (fields.length < 7 || !/^\d{1,4}$/.test(index) || Number(index) > MAX_GPU_ID) return undefined
  const [usage, used, total, temperature, power] = fields.slice(-5)
  const memory_total = gigabytes(total)
  const memory_used = gigabytes(used)
  const celsius = within(temperature, TEMPERATURES)
  const watts = within(power, POWERS)
  const name = fields.slice(1, -5).join(', ')
  return {
    gpu_id: Number(index),
    name: cutText(name === '' || name.startsWith('[') ? 'unknown GPU' : name, MAX_NAME).toWellFormed(),
    usage: within(usage, { min: 0, max: 100 }) ?? 0,
    memory_used: memory_total > 0 ? Math.min(memory_used, memory_total) : memory_used,
    memory_total,
    ...(celsius !== undefined && { temperature: celsius }),
    ...(watts !== undefined && { power: watts }),
    ...(uuid !== undefined && { uuid }),
  }
}

/** With or without a unit, because some wrappers of nvidia-smi drop the option `nounits`. */
function number(text: string | undefined): { value: number; unit: string } | undefined {
  const [, digits, unit = ''] = /^(-?\d+(?:\.\d+)?)\s*([A-Za-z%°]*)$/.exec(text ?? '') ?? []
  return digits === undefined ? undefined : { value: Number(digits), unit }
}

function within(text: string | undefined, { min, max }: { min: number; max: number }): number | undefined {
  const value = number(text)?.value
  return value !== undefined && value >= min && value <= max ? value : undefined
}

const MEBIBYTES: Record<string, number> = { '': 1, MiB: 1, MB: 1, KiB: 1 / 1024, GiB: 1024, GB: 1024 }

function gigabytes(text: string | undefined): number {
  const { value, unit } = number(text) ?? { value: 0, unit: '' }
  const result = (value * (MEBIBYTES[unit] ?? Number.NaN)) / 1024
  return result >= 0 && result <= MAX_GIGABYTES ? Math.round(result * 100) / 100 : 0
}
