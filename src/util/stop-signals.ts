import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

/**
 * Signals that come within this time of the first are the same request. When a signal goes to the whole process group
 * (Ctrl-C in a terminal, systemd's default), the process gets it twice, because `bun run` passes its own on.
 */
const SAME_REQUEST_MS = 2000

/**
 * Calls `stop` at the first of these signals, and `force` at one that comes after the repeats of the first. A signal that
 * the process was started to ignore (`nohup`, for SIGHUP) goes on being ignored: a listener of its own would undo that.
 */
export function onStopSignals(
  signals: NodeJS.Signals[],
  stop: (signal: NodeJS.Signals) => void,
  force: () => void,
): void {
  let first: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = performance.now()
      stop(signal)
    } else if (performance.now() - first > SAME_REQUEST_MS) {
      force()
    }
  }
  const ignored = ignoredSignals()
  for (const signal of signals) {
    const bit = BigInt(constants.signals[signal] - 1)
    if ((ignored >> bit) % 2n === 0n) process.on(signal, onSignal)
  }
}

/** As bits. None where there is no /proc, which tells. */
function ignoredSignals(): bigint {
  try {
    const [, bits = '0'] = /^SigIgn:\s*([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return BigInt(`0x${bits}`)
  } catch {
    return 0n
  }
}
