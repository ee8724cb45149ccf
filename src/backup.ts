/** `bun run backup FILE`: one file with the database and the objects, while the server runs. */
import { backUp, lackOf } from './archive/backup.ts'
import { rowCount, stopSignal } from './archive/command.ts'
import { STANDARD } from './archive/output.ts'
import { assertDataExists } from './config/data-exists.ts'
import { readConfig } from './config/index.ts'
import { readArguments } from './util/arguments.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage } from './util/startup-error.ts'

const USAGE = `Usage: bun run backup FILE [--force]
  FILE     a new file, or ${STANDARD} for the standard output
  --force  replaces the file if it exists`

try {
  const { names, flags } = readArguments({ usage: USAGE, names: [1, 1], flags: ['force'] })
  const file = names[0]!
  const force = flags.has('force')
  const config = readConfig(process.env)
  assertDataExists(config)
  const signal = stopSignal('The backup was stopped. No file was written.')
  const made = await backUp(config, createLogger('silent'), { file, force, signal })
  console.error(
    `${file === STANDARD ? 'The backup' : file} has ${rowCount(made)} rows and ${made.objects} files, ${made.size} bytes in all.`,
  )
  const lack = lackOf(made)
  if (lack) console.error(`WARNING: ${lack}.`)
  process.exit(0)
} catch (error) {
  exitWithMessage(error)
}
