/**
 * Signals that come within this time of the first are the same request. When a signal goes to the whole process group
 * (Ctrl-C in a terminal, systemd's default), the process gets it twice, because `bun run` passes its own on.
 */
const SAME_REQUEST_MS = 2000

/** Calls `stop` at the first of these signals, and `force` at one that comes after the repeats of the first. */
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
  for (const signal of signals) process.on(signal, onSignal)
}
