import type { HeartbeatBody, NodeFrameOf } from '../protocol/node/node-frames.ts'
import { cutText } from '../util/cut.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { type Device, namedDevices, unknownDevices } from './devices.ts'
import { type Gpu, parseGpus, QUERY, QUERY_WITH_UUID } from './gpu.ts'
import type { Log } from './log.ts'
import { type Answer, NvidiaSmi } from './nvidia-smi.ts'
import { CpuMeter, memoryUsage } from './system.ts'

export interface MachineSettings {
  nvidiaSmi: string
  /** The node's `CUDA_VISIBLE_DEVICES`: the GPUs that it may use. Undefined: all. */
  visibleDevices?: string | undefined
  /** Undefined: one task for each GPU, at least one. */
  maxConcurrentTasks: number | undefined
  /**
   * The node kills nvidia-smi after this time. Default 60 s, because it takes many seconds on large machines without
   * persistence mode.
   */
  nvidiaSmiLimitMs?: number
}

/** The start waits so long for the GPUs. After this time the log calls nvidia-smi slow. */
const SLOW_MS = 5000
const MAX_COMPLAINT = 200

/** The figures of the node's machine and of its GPUs, which may come and go. */
export class Machine {
  private readonly cpu = new CpuMeter()
  private readonly nvidiaSmi: NvidiaSmi
  private readonly query: string
  private gpus: Gpu[] = []
  private reading: Promise<void> | undefined
  /** The last log lines about nvidia-smi and about the GPUs. */
  private condition = 'answers'
  private described = ''

  /** Reads the GPUs once, so that `hello` names them, unless that takes too long. */
  static async read(settings: MachineSettings, log: Log): Promise<Machine> {
    const machine = new Machine(settings, log)
    await waitAtMost(SLOW_MS, machine.readGpus())
    return machine
  }

  private constructor(
    private readonly settings: MachineSettings,
    private readonly log: Log,
  ) {
    this.nvidiaSmi = new NvidiaSmi(settings.nvidiaSmi, settings.nvidiaSmiLimitMs ?? 60_000)
    this.query = settings.visibleDevices?.includes('GPU-') ? QUERY_WITH_UUID : QUERY
  }

  /** The devices for tasks: all GPUs, or those that the operator named. */
  get devices(): Device[] {
    const { visibleDevices } = this.settings
    const devices = namedDevices(visibleDevices, this.gpus)
    const unknown = unknownDevices(devices, this.gpus)
    return devices.filter((device) => !unknown.includes(device))
  }

  get slots(): number {
    return this.settings.maxConcurrentTasks ?? Math.max(1, this.devices.length)
  }

  describe(): NodeFrameOf<'hello'>['gpus'] {
    return this.ownGpus().map(({ gpu_id, name, memory_total }) => ({ gpu_id, name, memory_total }))
  }

  /** The current figures. Those of the GPUs are the last known ones when `nvidia-smi` takes longer than `limitMs`. */
  async measure(limitMs: number): Promise<HeartbeatBody> {
    await waitAtMost(limitMs, this.readGpus())
    return {
      cpu_usage: this.cpu.read(),
      memory_usage: memoryUsage(),
      max_concurrent_tasks: this.slots,
      gpus: this.ownGpus().map(({ uuid: _, ...figures }) => figures),
    }
  }

  close(): void {
    this.nvidiaSmi.close()
  }

  /** The GPUs of the devices; all GPUs when the GPU of a device is not known (MIG). */
  private ownGpus(): Gpu[] {
    const { devices } = this
    const own = this.gpus.filter((gpu) => devices.some((device) => device.gpu === gpu))
    return devices.some(({ gpu }) => !gpu) ? this.gpus : own
  }

  private readGpus(): Promise<void> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private async readNow(): Promise<void> {
    const rows: string[] = []
    const timer = setTimeout(() => {
      this.takeRows(rows)
      // Without this, an nvidia-smi that always hangs would be logged as slow and as hanging in turns.
      if (this.condition !== 'hangs')
        this.say('slow', `has not answered in ${SLOW_MS / 1000} s: its last known figures are used`)
    }, SLOW_MS)
    const answer = await this.nvidiaSmi.query(this.query, rows)
    clearTimeout(timer)
    if (answer.kind === 'hangs') this.takeRows(rows)
    this.take(answer)
    this.describeGpus()
  }

  private take(answer: Answer): void {
    if (answer.kind === 'hangs')
      return this.say(
        'hangs',
        'hangs and was killed: its last known figures are used, and it is not started again while it lives',
      )
    if (answer.kind === 'not started') return this.say('not started', `could not be started: ${answer.why}`)
    const gpus = answer.kind === 'ended' ? parseGpus(answer.rows) : []
    this.gpus = gpus
    if (answer.kind === 'missing')
      return this.say('missing', 'is not there, so this node has no GPUs (NVIDIA_SMI_PATH names the program)')
    const { code } = answer
    const complaint = complaintIn(answer)
    if (code !== 0 && gpus.length > 0)
      this.say(`warns ${code}`, `ended with exit code ${code}; its figures are used${complaint}`)
    else if (code !== 0)
      this.say(`failed ${code}`, `failed with exit code ${code}: no GPUs until it answers${complaint}`)
    else if (gpus.length === 0) this.say('lists none', `lists no GPUs${complaint}`)
    // Without this, an nvidia-smi that is always slow would be logged as slow and as well in turns.
    else if (this.condition !== 'slow') this.say('answers', 'answers again')
  }

  /** Takes the rows of an nvidia-smi that does not end. Fewer rows than known GPUs may be only the beginning. */
  private takeRows(rows: string[]): void {
    const gpus = parseGpus(rows)
    if (gpus.length > 0 && gpus.length >= this.gpus.length) this.gpus = gpus
  }

  /** Logs one line for each change. */
  private say(condition: string, text: string): void {
    if (condition === this.condition) return
    this.condition = condition
    const line = `${this.settings.nvidiaSmi} ${text}`
    if (condition === 'answers' || condition === 'missing') this.log.info(line)
    else this.log.warn(line)
  }

  private describeGpus(): void {
    const { visibleDevices } = this.settings
    const { devices, slots } = this
    const names = devices.map(({ name, gpu }) => (gpu ? `${name} ${gpu.name}` : name)).join(', ')
    const sharing =
      devices.length > 0 && slots > devices.length
        ? `: up to ${Math.ceil(slots / devices.length)} share a GPU`
        : ''
    const missing = unknownDevices(namedDevices(visibleDevices, this.gpus), this.gpus).map(({ name }) => name)
    const line =
      `${count(devices.length, 'GPU')}${names && ` (${names})`}, ${count(slots, 'task')} at a time${sharing}` +
      (visibleDevices === undefined ? '' : `; CUDA_VISIBLE_DEVICES is '${visibleDevices}'`) +
      (missing.length > 0 ? `, of which nvidia-smi does not list ${missing.join(', ')}` : '')
    if (line === this.described) return
    const isDull = this.described === '' && devices.length === 0 && visibleDevices === undefined
    this.described = line
    if (!isDull) this.log.info(line)
  }
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

function complaintIn({ rows, complaints }: Extract<Answer, { kind: 'ended' }>): string {
  const said = [...complaints, ...rows].filter((line) => parseGpus([line]).length === 0)
  return said.length === 0 ? '' : `. It says: ${cutText(said.join(' '), MAX_COMPLAINT, '…')}`
}
