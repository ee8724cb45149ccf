import { mkdirSync } from 'node:fs'
import { StartupError } from './startup-error.ts'

/**
 * Makes the directory in DATA_DIR unless it exists.
 * @throws StartupError when it can't be made
 */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusableDataDir(dataDir, error)
  }
}

export function unusableDataDir(dataDir: string, error: unknown): StartupError {
  const { code, message } = error as { code: string; message: string }
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new StartupError(
      `The directory in DATA_DIR, ${dataDir}, can't be used: it, or a folder above it, is a file. Set DATA_DIR to a directory.`,
    )
  // Some messages begin with the code.
  const reason = message.startsWith(code) ? message : `${code}, ${message}`
  return new StartupError(
    `The directory in DATA_DIR, ${dataDir}, can't be used: ${reason}. The user who runs the server must be able to write to it, and its disk needs free space.`,
  )
}
