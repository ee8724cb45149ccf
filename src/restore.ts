/** `bun run restore FILE`: fills an empty installation from a backup. */
import { lackOf } from './archive/backup.ts'
import { STANDARD } from './archive/output.ts'
import { restoreFile } from './archive/restore-file.ts'
import { readConfig } from './config/index.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage, StartupError } from './util/startup-error.ts'
import { onStopSignals } from './util/stop-signals.ts'

const USAGE = `Usage: bun run restore FILE [--keep-sessions]
  FILE             a backup, or ${STANDARD} for the standard input
  --keep-sessions  users stay signed in. Only for a move: sessions that ended after the backup come back`

try {
  const { file, keepSessions } = readArguments(process.argv.slice(2))
  const config = readConfig(process.env)
  const stop = new AbortController()
  onStopSignals(
    ['SIGTERM', 'SIGINT', 'SIGHUP'],
    () => stop.abort(new StartupError('The restore was stopped. Nothing was kept.')),
    () => process.exit(1),
  )
  const { head, end } = await restoreFile(config, createLogger('silent'), {
    file,
    keepSessions,
    signal: stop.signal,
  })
  const rows = Object.values(end.tables).reduce((sum, count) => sum + count, 0)
  console.error(`Restored ${rows} rows and ${end.objects} files of ${head.createdAt}. Start the server.`)
  const lack = lackOf(end)
  if (lack) console.error(`WARNING: when the backup was made, ${lack}.`)
  process.exit(0)
} catch (error) {
  exitWithMessage(error)
}

function readArguments(args: string[]): { file: string; keepSessions: boolean } {
  const files = args.filter((arg) => arg !== '--keep-sessions')
  const [file] = files
  if (file === undefined || files.length > 1 || (file.startsWith('-') && file !== STANDARD))
    throw new StartupError(USAGE)
  return { file, keepSessions: args.includes('--keep-sessions') }
}
