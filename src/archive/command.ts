/** What the programs that make and restore backups have in common. */
import { StartupError } from '../util/startup-error.ts'
import { onStopSignals } from '../util/stop-signals.ts'
import type { End } from './format.ts'
import { STANDARD } from './output.ts'

/**
 * The arguments of this program: one file, and `flag` or not.
 * @throws StartupError with `usage` when they are others
 */
export function readArguments(flag: string, usage: string): { file: string; flagged: boolean } {
  const args = process.argv.slice(2)
  const files = args.filter((arg) => arg !== flag)
  const [file] = files
  if (file === undefined || files.length > 1 || (file.startsWith('-') && file !== STANDARD))
    throw new StartupError(usage)
  return { file, flagged: args.includes(flag) }
}

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
