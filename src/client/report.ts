/** Errors that no caller waits for. */
export type Report = (error: unknown) => void

/** As an uncaught error of a page; where there is no such thing, on the console. */
export const report: Report = (error) => {
  const { reportError } = globalThis as { reportError?: Report }
  if (reportError) reportError(error)
  else console.error(error)
}

/** Those who are there now, one after the other. Each is left out when it leaves before its turn. */
export function* each<T>(set: Set<T>): Generator<T> {
  for (const one of [...set]) if (set.has(one)) yield one
}

/** Runs a function of the application, which may be async. What it throws is reported, and stops nothing. */
export function guarded(run: () => unknown, failed: Report): void {
  try {
    const result = run()
    if (result instanceof Promise) result.catch(failed)
  } catch (error) {
    failed(error)
  }
}
