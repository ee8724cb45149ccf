/** `bun run restore FILE`: fills an empty installation from a backup. */
import { lackOf } from './archive/backup.ts'
import { rowCount, stopSignal } from './archive/command.ts'
import { STANDARD } from './archive/output.ts'
import { restoreFile } from './archive/restore-file.ts'
import { readConfig } from './config/index.ts'
import { readArguments } from './util/arguments.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage } from './util/startup-error.ts'

const USAGE = `Usage: bun run restore FILE [--keep-sessions]
  FILE             a backup, or ${STANDARD} for the standard input
  --keep-sessions  users stay signed in. Only for a move: sessions that ended after the backup come back`

try {
  const { names, flags } = readArguments({ usage: USAGE, names: [1, 1], flags: ['keep-sessions'] })
  const file = names[0]!
  const keepSessions = flags.has('keep-sessions')
  const config = readConfig(process.env)
  const signal = stopSignal('The restore was stopped. Nothing was kept.')
  const { head, end } = await restoreFile(config, createLogger('silent'), { file, keepSessions, signal })
  console.error(
    `Restored ${rowCount(end)} rows and ${end.objects} files of ${head.createdAt}. Start the server.`,
  )
  const lack = lackOf(end)
  if (lack) console.error(`WARNING: when the backup was made, ${lack}.`)
  process.exit(0)
} catch (error) {
  exitWithMessage(error)
}
