import { accessSync, constants } from 'node:fs'
import { rm } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import type { Config } from '../config/index.ts'
import { makeDataDir } from '../util/data-dir.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import { untilAborted } from '../util/until-aborted.ts'
import { readable } from './backup.ts'
import type { End, Head } from './format.ts'
import { kindOf, nameOf, STANDARD, temporaryPath, toFile } from './output.ts'
import { checkArchive } from './read.ts'
import { restoreArchive } from './restore.ts'
import { openTarget } from './target.ts'

export interface RestoreOptions {
  file: string
  /** Whether signed-in users stay signed in. */
  keepSessions: boolean
  signal: AbortSignal
}

/**
 * Restores a file into the empty installation that `config` describes. The whole file is checked before anything is changed.
 * @throws StartupError with what the operator should look at
 */
export async function restoreFile(
  config: Config,
  log: Logger,
  { file, keepSessions, signal }: RestoreOptions,
): Promise<{ head: Head; end: End }> {
  await using stack = new AsyncDisposableStack()
  try {
    const path = file === STANDARD ? await spoolInput(config.dataDir, stack, signal) : file
    assertReadable(path)
    const checked = await checkArchive(path, signal, file === STANDARD ? 'The input' : file)
    const target = stack.adopt(await untilAborted(openTarget(config, log), signal), (open) => open.close())
    signal.throwIfAborted()
    await restoreArchive(path, checked.head, target, { keepSessions, signal, fileName: nameOf(file) })
    return checked
  } catch (error) {
    // An error in words says more than the signal: that files could not be deleted, for example.
    throw signal.aborted && !(error instanceof StartupError) ? signal.reason : readable(error)
  }
}

function assertReadable(path: string): void {
  const kind = kindOf(path)
  if (!kind) throw new StartupError(`There is no file ${path}.`)
  if (kind === 'folder') throw new StartupError(`${path} is a folder. Name a backup in it.`)
  try {
    accessSync(path, constants.R_OK)
  } catch {
    throw new StartupError(`This user may not read ${path}.`)
  }
}

/** A file can be read twice. */
async function spoolInput(
  dataDir: string,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<string> {
  makeDataDir(dataDir)
  const path = temporaryPath(dataDir)
  stack.defer(() => rm(path, { force: true }))
  await toFile(path, addAbortSignal(signal, process.stdin), path)
  return path
}
