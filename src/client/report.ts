/** Errors that no caller waits for. */
export type Report = (error: unknown) => void

/** As an uncaught error of a page; where there is no such thing, on the console. */
export const report: Report = (error) => {
  const { reportError } = globalThis as { reportError?: Report }
  if (reportError) reportError(error)
  else console.error(error)
}

/** Runs a function of the application. What it throws is reported, and stops nothing. */
export function guarded(run: () => unknown, failed: Report): void {
  try {
    run()
  } catch (error) {
    failed(error)
  }
}
