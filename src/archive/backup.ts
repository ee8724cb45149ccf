import type { Config } from '../config/index.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import { untilAborted } from '../util/until-aborted.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { messageOf, withoutQuery } from '../util/without-query.ts'
import type { End } from './format.ts'
import { archiveOf } from './make.ts'
import { assertWritable, nameOf, temporaryPath, writeOutput } from './output.ts'
import { openSource, type Source } from './source.ts'
import { STALL_MS, watched } from './stall.ts'

/** For the record of a failure, whose cause may be that the database does not answer. */
const RECORD_MS = 5000

export interface BackupSummary extends End {
  /** Bytes of the archive. */
  size: number
}

/**
 * Makes a backup of the installation that `config` describes, while its servers run or not.
 * @param options.force replaces an existing file
 * @throws StartupError with what the operator should look at
 */
export async function backUp(
  config: Config,
  log: Logger,
  {
    file,
    force,
    signal,
    stallMs = STALL_MS,
  }: { file: string; force: boolean; signal: AbortSignal; stallMs?: number },
): Promise<BackupSummary> {
  assertWritable(file, { force })
  const opening = openSource(config, nameOf(file), log)
  const source = await untilAborted(opening, signal).catch((error) => {
    // Nobody waits for it any more, and what is open would hold deletions up.
    opening.then((late) => giveUp(late, messageOf(error))).catch(() => {})
    throw error
  })
  try {
    let end: End | undefined
    const broken = AbortSignal.any([signal, source.lost])
    const bytes = archiveOf(source, temporaryPath(config.dataDir), broken, (all) => {
      end = all
    })
    using watch = watched(bytes, stallMs)
    const stop = AbortSignal.any([broken, watch.stalled])
    const writing = writeOutput(file, watch.chunks, async () => {
      await source.assertHeld()
      stop.throwIfAborted()
    })
    const size = await untilAborted(writing, stop)
    await source.end({ size, error: lackOf(end!) })
    await source.close()
    return { ...end!, size }
  } catch (error) {
    // What was thrown first is the cause of what broke off.
    const cause =
      error instanceof StartupError
        ? error
        : source.lost.aborted
          ? source.lost.reason
          : signal.aborted
            ? signal.reason
            : readable(error)
    await giveUp(source, messageOf(cause))
    throw cause
  }
}

/** Records why there is no backup, and closes what it would have been made of. */
async function giveUp(source: Source, reason: string): Promise<void> {
  await waitAtMost(
    RECORD_MS,
    source.end({ size: null, error: reason }).catch(() => {}),
  )
  await source.close()
}

/** What a complete backup lacks. */
export function lackOf({ missing }: End): string | null {
  if (missing.length === 0) return null
  const some = missing.slice(0, 5).join(', ')
  return `${missing.length} files that the database names are not in the storage: ${some}${missing.length > 5 ? ', …' : ''}`
}

/** The errors of parts that an operator can do something about. */
export function readable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error.name === 'StorageError') return new StartupError(`The storage of files failed: ${error.message}.`)
  const { code, message } = withoutQuery(error) as { code?: string; message: string }
  if (/^(CONNECTION_|CONNECT_TIMEOUT|ECONN|QUERY_|57P|53)/.test(code ?? ''))
    return new StartupError(`The database failed: ${message}.`)
  return error
}
