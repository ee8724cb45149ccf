const REPORT_MS = 200
const TOUCH_MS = 20_000

/** An upload that was not touched for this time has lost its server. */
export const LOST_SECONDS = 120

export interface ProgressReporter {
  report(bytes: number): void
  stop(): void
}

/**
 * Reports how many bytes of an upload have arrived.
 * @param publish tells clients that watch, at most every 200 ms; before a pause it gets the last number
 * @param touch says in the database that the upload is alive, every 20 s
 */
export function progressReporter(publish: (bytes: number) => void, touch: () => void): ProgressReporter {
  let latest = 0
  let reported = Number.NEGATIVE_INFINITY
  let touched = performance.now()
  let stopped = false
  let due: ReturnType<typeof setTimeout> | undefined
  const run = () => {
    due = undefined
    reported = performance.now()
    publish(latest)
    if (reported - touched < TOUCH_MS) return
    touched = reported
    touch()
  }
  return {
    report(bytes) {
      latest = bytes
      if (stopped || due) return
      const wait = reported + REPORT_MS - performance.now()
      if (wait <= 0) run()
      else due = setTimeout(run, wait)
    },
    stop() {
      stopped = true
      clearTimeout(due)
    },
  }
}
