/** The GPUs of this node, and those of them that a task gets. */
import type { Gpu } from './gpu.ts'

/** A GPU, or a slice of one (MIG), as `CUDA_VISIBLE_DEVICES` names it. */
export interface Device {
  name: string
  /** Undefined when nvidia-smi does not tell it. */
  gpu: Gpu | undefined
}

/** A GPU of a task, in the task's JSON input. */
export interface TaskGpu {
  gpu_id?: number
  name?: string
  /** GB. */
  memory_total?: number
  uuid?: string
}

/** The GPUs of a task: `gpus` for its input, and variables for its environment. */
export interface Placement {
  devices: Device[]
  gpus: TaskGpu[]
  env: Record<string, string>
}

const INDEX = /^\d{1,4}$/
const UUID = /^(?:GPU-|MIG-)[\w/-]+$/
/** A UUID of a MIG device that contains the UUID of its GPU. */
const OF_GPU = /^(?:MIG-)?GPU-/

/**
 * The devices that a value of `CUDA_VISIBLE_DEVICES` names, as CUDA reads it: the first name that is none (`-1`,
 * `NoDevFiles`) ends the list. Without the variable, all that nvidia-smi lists.
 */
export function namedDevices(variable: string | undefined, gpus: Gpu[]): Device[] {
  if (variable === undefined) return gpus.map((gpu) => ({ name: String(gpu.gpu_id), gpu }))
  const devices = new Map<string, Device>()
  for (const name of variable.split(',').map((part) => part.trim())) {
    if (!INDEX.test(name) && !UUID.test(name)) break
    const gpu = gpuNamed(name, gpus)
    // A GPU that is named twice counts once. A GPU may have several MIG devices.
    const one = gpu && !name.startsWith('MIG-') ? String(gpu.gpu_id) : name
    if (!devices.has(one)) devices.set(one, { name, gpu })
  }
  return [...devices.values()]
}

/** Devices of `namedDevices` that nvidia-smi does not list although it lists other devices by numbers, or by UUIDs. */
export function unknownDevices(devices: Device[], gpus: Gpu[]): Device[] {
  const listsUuids = gpus.some(({ uuid }) => uuid !== undefined)
  const isOfThem = (name: string) => (INDEX.test(name) ? gpus.length > 0 : listsUuids && OF_GPU.test(name))
  return devices.filter(({ name, gpu }) => !gpu && isOfThem(name))
}

/** The UUID of a GPU may be cut short. With older drivers the name of a MIG device contains the UUID of its GPU. */
function gpuNamed(name: string, gpus: Gpu[]): Gpu | undefined {
  if (INDEX.test(name)) return gpus.find(({ gpu_id }) => gpu_id === Number(name))
  const uuid = name.replace(/^MIG-(?=GPU-)/, '').replace(/\/.*$/, '')
  return uuid.startsWith('GPU-') ? gpus.find((gpu) => gpu.uuid?.startsWith(uuid)) : undefined
}

/** Gives devices to tasks: each task gets the devices that the fewest tasks have. */
export class DevicePool {
  private readonly users = new Map<string, number>()

  /** @param empty the value of `CUDA_VISIBLE_DEVICES` on a node without devices; undefined: not set */
  place(devices: Device[], count: number, empty: string | undefined): Placement {
    const chosen = devices
      .toSorted((a, b) => this.usersOf(a) - this.usersOf(b))
      .slice(0, count)
      .toSorted((a, b) => devices.indexOf(a) - devices.indexOf(b))
    for (const device of chosen) this.users.set(device.name, this.usersOf(device) + 1)
    const visible = chosen.length > 0 || devices.length > 0 ? chosen.map(({ name }) => name).join(',') : empty
    return {
      devices: chosen,
      gpus: chosen.map(describe),
      env: {
        ...(visible !== undefined && { CUDA_VISIBLE_DEVICES: visible }),
        // By default CUDA orders GPUs by their speed, but nvidia-smi numbers them by their place on the bus.
        ...(chosen.some(({ name }) => INDEX.test(name)) && { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
      },
    }
  }

  release({ devices }: Placement): void {
    for (const device of devices) {
      const users = this.usersOf(device) - 1
      if (users > 0) this.users.set(device.name, users)
      else this.users.delete(device.name)
    }
  }

  private usersOf({ name }: Device): number {
    return this.users.get(name) ?? 0
  }
}

function describe({ name, gpu }: Device): TaskGpu {
  const uuid = INDEX.test(name) ? gpu?.uuid : name
  return {
    ...(gpu
      ? { gpu_id: gpu.gpu_id, name: gpu.name, memory_total: gpu.memory_total }
      : INDEX.test(name) && { gpu_id: Number(name) }),
    ...(uuid !== undefined && { uuid }),
  }
}
