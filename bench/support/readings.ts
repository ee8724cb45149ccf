/** Readings of a process from the kernel. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** CPU time, user and system, of all threads of a process so far, in milliseconds; finer than the ticks of `stat`. */
export function cpuMs(pid: number): number {
  let ns = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // The thread has just ended.
    }
  }
  return ns / 1e6
}

/** Resident memory in bytes. */
export function rss(pid: number): number {
  return Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) * 1024
}

/** The largest resident memory that the process has had, in bytes. */
export function peakRss(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** Now, in milliseconds since the epoch. The clocks of processes on one machine differ by some microseconds. */
export const now = (): number => performance.timeOrigin + performance.now()
