import type { GpuUsage } from '../../../../client/index.ts'

/** The figures of the GPUs of a server at one time. */
export interface Sample {
  /** Milliseconds since the epoch, by the clock of the server. */
  at: number
  /** Empty where there is nothing to show. */
  gpus: readonly GpuUsage[]
}

const KEPT_MS = 10 * 60_000
/** Without a figure for so long, the line of a chart breaks off. Servers report every few seconds. */
const GAP_MS = 30_000
/** A server may have many GPUs, and heartbeats each second. */
const MOST = 600

/** The samples of the last minutes, with an empty one where a time without figures begins. @param all ascending */
export function recent(all: readonly Sample[]): Sample[] {
  const end = all.at(-1)?.at ?? 0
  return all
    .flatMap((sample, index) => {
      const last = all[index - 1]
      const isGap = last && last.gpus.length > 0 && sample.at - last.at > GAP_MS
      return isGap ? [{ at: last.at + 1, gpus: [] }, sample] : [sample]
    })
    .filter(({ at }) => at > end - KEPT_MS)
    .slice(-MOST)
}
