/** Where the bytes of a new archive go. */
import { mkdirSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StartupError } from '../util/startup-error.ts'

/** The name that means standard output or input in place of a file. */
export const STANDARD = '-'

/** As records name it: without the folder. */
export const nameOf = (file: string): string => (file === STANDARD ? 'standard stream' : basename(file))

/**
 * Writes all of it, or nothing: a file appears under its name when all bytes are on the disk. Only its owner may read it, because
 * it holds hashes of passwords and secrets.
 * @param beforeRename a failure of it removes the file
 * @returns its bytes
 * @throws StartupError when it can't be written
 */
export async function writeOutput(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  beforeRename: () => Promise<void>,
): Promise<number> {
  if (file === STANDARD) {
    const size = await toStandardOutput(bytes)
    await beforeRename()
    return size
  }
  const path = resolve(file)
  const draft = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.part`)
  try {
    const size = await toFile(draft, bytes, file)
    await beforeRename()
    await systemCall(file, () => rename(draft, path))
    await syncDirectory(dirname(path))
    return size
  } finally {
    await rm(draft, { force: true })
  }
}

/** What a path names. */
export function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined
  }
}

/** @throws StartupError when a backup can't be written there */
export function assertWritable(file: string, { force }: { force: boolean }): void {
  if (file === STANDARD) {
    if (process.stdout.isTTY)
      throw new StartupError('A backup is no text for a terminal. Name a file, or send the output to one.')
    return
  }
  const kind = kindOf(file)
  if (kind === 'folder') throw new StartupError(`${file} is a folder. Name a file in it.`)
  if (!force && kind === 'file')
    throw new StartupError(`${file} exists already. Choose another name, or add --force.`)
  if (kindOf(dirname(resolve(file))) !== 'folder')
    throw new StartupError(`There is no folder ${dirname(resolve(file))}.`)
}

/**
 * Writes a new file, which only its owner may read.
 * @param name of the file in errors
 * @throws StartupError when it can't be written
 */
export async function toFile(path: string, bytes: AsyncIterable<Uint8Array>, name: string): Promise<number> {
  const file = await systemCall(name, () => open(path, 'wx', 0o600))
  try {
    let size = 0
    for await (const chunk of bytes) {
      for (let written = 0; written < chunk.byteLength; ) {
        const { bytesWritten } = await systemCall(name, () => file.write(chunk, written))
        written += bytesWritten
      }
      size += chunk.byteLength
    }
    await systemCall(name, () => file.sync())
    return size
  } finally {
    await file.close()
  }
}

async function toStandardOutput(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of bytes) {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(chunk, (error) =>
        error ? reject(new StartupError(`The output can't be written: ${error.message}.`)) : resolve(),
      )
    })
    size += chunk.byteLength
  }
  return size
}

const HINTS: Record<string, string> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its disk is read-only',
  ENOENT: 'there is no such folder',
}

/** @throws StartupError in place of the error of the system */
async function systemCall<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    throw new StartupError(`${path} can't be written: ${HINTS[code] ?? message}.`)
  }
}

/** So that the new name survives a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** A path in DATA_DIR for a temporary file. The system's own temporary directory may be in memory. */
export function temporaryPath(dataDir: string): string {
  const directory = resolve(dataDir, 'tmp')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return join(directory, `backup-${crypto.randomUUID()}`)
}
