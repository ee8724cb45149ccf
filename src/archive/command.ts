/** What the programs that make and restore backups have in common. */
import { StartupError } from '../util/startup-error.ts'
import { onStopSignals } from '../util/stop-signals.ts'
import type { End } from './format.ts'

/** Aborted with the message when the operator stops this program. A later signal ends it at once. */
export function stopSignal(message: string): AbortSignal {
  const stop = new AbortController()
  onStopSignals(
    ['SIGTERM', 'SIGINT', 'SIGHUP'],
    () => stop.abort(new StartupError(message)),
    () => process.exit(1),
  )
  return stop.signal
}

/** Of all tables. */
export const rowCount = ({ tables }: End): number =>
  Object.values(tables).reduce((sum, count) => sum + count, 0)
