import type { Config } from '../config/index.ts'
import type { Logger } from '../util/logger.ts'
import { StartupError } from '../util/startup-error.ts'
import type { End } from './format.ts'
import { archiveOf } from './make.ts'
import { assertWritable, nameOf, temporaryPath, writeOutput } from './output.ts'
import { openSource } from './source.ts'

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
  { file, force, signal }: { file: string; force: boolean; signal: AbortSignal },
): Promise<BackupSummary> {
  assertWritable(file, { force })
  const source = await openSource(config, nameOf(file), log)
  try {
    let end: End | undefined
    const bytes = archiveOf(source, temporaryPath(config.dataDir), signal, (all) => {
      end = all
    })
    const size = await writeOutput(file, bytes, async () => {
      signal.throwIfAborted()
      source.lost.throwIfAborted()
      await source.assertHeld()
    })
    await source.end({ size, error: lackOf(end!) })
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
    await source.end({ size: null, error: (cause as Error).message }).catch(() => {})
    throw cause
  } finally {
    await source.close()
  }
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
  const { code } =
    error.cause instanceof Error ? (error.cause as { code?: string }) : (error as { code?: string })
  if (/^(CONNECTION_|CONNECT_TIMEOUT|ECONN|QUERY_|57P|53)/.test(code ?? ''))
    return new StartupError(
      `The database failed: ${(error.cause as Error | undefined)?.message ?? error.message}.`,
    )
  return error
}
