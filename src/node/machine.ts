import type { HeartbeatBody, NodeFrameOf } from '../live/node-protocol.ts'
import { type Gpu, GpuReader } from './gpu.ts'
import { CpuMeter, memoryUsage } from './system.ts'

/** The figures of the machine that the node runs on. */
export class Machine {
  private readonly cpu = new CpuMeter()
  private reading: Promise<void> | undefined

  /** Reads the GPUs once: `hello` names them. */
  static async read(nvidiaSmi: string): Promise<Machine> {
    const reader = new GpuReader(nvidiaSmi)
    return new Machine(reader, await reader.read())
  }

  private constructor(
    private readonly reader: GpuReader,
    private gpus: Gpu[],
  ) {}

  describe(): NodeFrameOf<'hello'>['gpus'] {
    return this.gpus.map(({ gpu_id, name, memory_total }) => ({ gpu_id, name, memory_total }))
  }

  /** Present figures; the GPUs' last known ones when `nvidia-smi` takes longer than `limitMs`. */
  async measure(limitMs: number): Promise<HeartbeatBody> {
    this.reading ??= this.reader.read().then((gpus) => {
      this.gpus = gpus
      this.reading = undefined
    })
    await Promise.race([this.reading, Bun.sleep(limitMs)])
    return {
      cpu_usage: this.cpu.read(),
      memory_usage: memoryUsage(),
      gpus: this.gpus.map(({ name: _, ...figures }) => figures),
    }
  }
}
