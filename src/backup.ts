/** `bun run backup FILE`: one file with the database and the objects, while the server runs. */
import { backUp, lackOf } from './archive/backup.ts'
import { STANDARD } from './archive/output.ts'
import { assertDataExists } from './config/data-exists.ts'
import { readConfig } from './config/index.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage, StartupError } from './util/startup-error.ts'
import { onStopSignals } from './util/stop-signals.ts'

const USAGE = `Usage: bun run backup FILE [--force]
  FILE     a new file, or ${STANDARD} for the standard output
  --force  replaces the file if it exists`

try {
  const { file, force } = readArguments(process.argv.slice(2))
  const config = readConfig(process.env)
  assertDataExists(config)
  const stop = new AbortController()
  onStopSignals(
    ['SIGTERM', 'SIGINT', 'SIGHUP'],
    () => stop.abort(new StartupError('The backup was stopped. No file was written.')),
    () => process.exit(1),
  )
  const made = await backUp(config, createLogger('silent'), { file, force, signal: stop.signal })
  const rows = Object.values(made.tables).reduce((sum, count) => sum + count, 0)
  console.error(
    `${file === STANDARD ? 'The backup' : file} has ${rows} rows and ${made.objects} files, ${made.size} bytes in all.`,
  )
  const lack = lackOf(made)
  if (lack) console.error(`WARNING: ${lack}.`)
  process.exit(0)
} catch (error) {
  exitWithMessage(error)
}

function readArguments(args: string[]): { file: string; force: boolean } {
  const files = args.filter((arg) => arg !== '--force')
  const [file] = files
  if (file === undefined || files.length > 1 || (file.startsWith('-') && file !== STANDARD))
    throw new StartupError(USAGE)
  return { file, force: args.includes('--force') }
}
