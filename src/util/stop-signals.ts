import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

/**
 * Signals that come within this time of the first are the same request. When a signal goes to the whole process group
 * (Ctrl-C in a terminal, systemd's default), the process gets it twice, because `bun run` passes its own on.
 */
const SAME_REQUEST_MS = 2000

/** How long a stop waits for requests, jobs and scheduled runs that are under way. A whole stop takes less than five seconds. */
export const STOP_WAIT_MS = 3000

/**
 * Calls `stop` at the first of these signals, and `force` at one that comes after the repeats of the first. A process that
 * was started with SIGHUP ignored (`nohup`) gets no listener for it, because a listener would end that. SIGINT always gets
 * one, because shell scripts start every background process with SIGINT ignored.
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
  for (const signal of signals) if (signal !== 'SIGHUP' || !isHangupIgnored()) process.on(signal, onSignal)
}

/** False where there is no /proc to read it from. */
function isHangupIgnored(): boolean {
  try {
    const [, bits = '0'] = /^SigIgn:\s*([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return (BigInt(`0x${bits}`) >> BigInt(constants.signals.SIGHUP - 1)) % 2n === 1n
  } catch {
    return false
  }
}
