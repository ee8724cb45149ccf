import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'

/** CPU usage in percent since the last call; at the first call since the machine started. */
export class CpuMeter {
  private idle = 0
  private total = 0

  read(): number {
    let idle = 0
    let total = 0
    for (const { times } of cpus()) {
      idle += times.idle
      total += times.user + times.nice + times.sys + times.idle + times.irq
    }
    const elapsed = total - this.total
    const busy = elapsed - (idle - this.idle)
    this.idle = idle
    this.total = total
    return elapsed > 0 ? percent(busy / elapsed) : 0
  }
}

/** Used memory in percent. Caches that the kernel can free at once count as free, where the kernel tells them. */
export function memoryUsage(): number {
  return percent(1 - (availableMemory() ?? freemem()) / totalmem())
}

function availableMemory(): number | undefined {
  try {
    const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}

/** 0 when the system's figures make no sense, as in some containers. */
const percent = (share: number): number =>
  Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10 : 0
