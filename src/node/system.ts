import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'

/** CPU usage in percent over the time between two calls; over the machine's whole uptime at the first. */
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

/** Memory in use, in percent. Caches that the kernel can give back at once count as free where it says so. */
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

/** 0 where the system's own figures make no sense, as in some containers. */
const percent = (share: number): number =>
  Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10 : 0
