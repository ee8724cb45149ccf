import type { HeartbeatBody } from '../live/node-protocol.ts'
import { cutText } from '../util/cut.ts'

type GpuFigures = HeartbeatBody['gpus'][number]

/** What `hello` and `heartbeat` say about a GPU. Memory in GB (here 1024 MiB), usage in %, temperature in °C, power in W. */
export type Gpu = GpuFigures & { name: string }

const QUERY = 'index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw'

/** Reads GPUs through `nvidia-smi`. A machine without it, or with a driver that fails or hangs, has zero GPUs. */
export class GpuReader {
  private lingering: Bun.Subprocess | undefined

  constructor(
    private readonly nvidiaSmi: string,
    private readonly timeoutMs = 3000,
  ) {}

  async read(): Promise<Gpu[]> {
    // A driver that hangs in the kernel leaves a process that cannot be killed: never pile up a second one.
    if (this.lingering && this.lingering.exitCode === null && this.lingering.signalCode === null) return []
    try {
      const process = Bun.spawn([this.nvidiaSmi, `--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'], {
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'ignore',
      })
      this.lingering = process
      const { promise: tooLate, resolve } = Promise.withResolvers<undefined>()
      const timer = setTimeout(resolve, this.timeoutMs)
      const text = await Promise.race([process.stdout.text(), tooLate])
      const code = text === undefined ? undefined : await Promise.race([process.exited, tooLate])
      clearTimeout(timer)
      if (code === undefined) process.kill('SIGKILL')
      return code === 0 ? parseGpus(text ?? '') : []
    } catch {
      return []
    }
  }
}

/** One line of CSV per GPU; what the driver cannot tell (`[N/A]`) is 0 usage or memory, or a field left out. */
export function parseGpus(csv: string): Gpu[] {
  const gpus: Gpu[] = []
  for (const line of csv.split('\n')) {
    const fields = line.split(',').map((field) => field.trim())
    const [temperature, power] = [number(fields.at(-2)), number(fields.at(-1))]
    const index = number(fields[0])
    if (fields.length < 7 || index === undefined || !Number.isInteger(index) || index < 0) continue
    gpus.push({
      gpu_id: index,
      name: cutText(fields.slice(1, -5).join(', '), 200),
      usage: Math.min(100, Math.max(0, number(fields.at(-5)) ?? 0)),
      memory_used: gigabytes(fields.at(-4)),
      memory_total: gigabytes(fields.at(-3)),
      ...(temperature !== undefined && { temperature }),
      ...(power !== undefined && power >= 0 && { power }),
    })
  }
  return gpus
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

const gigabytes = (mebibytes: string | undefined): number =>
  Math.round((Math.max(0, number(mebibytes) ?? 0) / 1024) * 100) / 100
