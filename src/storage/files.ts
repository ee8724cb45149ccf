/** Files for both forms of the storage: written from a body, read as a stream, temporary. */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chunksOf } from './source.ts'
import { type Body, type ByteRange, type LocalFile, StorageError } from './storage.ts'

/**
 * Small chunks are copied into one buffer for one system call. Chunks that wait would survive a garbage collection, and the
 * next collections would not free them (measured: 100 MB more with two large uploads at once). A chunk that is as large as
 * the buffer is written from where it is.
 */
const WRITE_BYTES = 512 * 1024
/** The first write. A small file needs no more, and the garbage collector counts all of a buffer. */
const FIRST_WRITE_BYTES = 16 * 1024
/** After this many bytes the file is synced, so that the sync at the end is short. */
const SYNC_BYTES = 16 * 1024 * 1024
const READ_BYTES = 512 * 1024
const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const MISSING = new Set(['ENOENT', 'ENOTDIR'])

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code)
export const isMissing = (error: unknown): boolean => MISSING.has(codeOf(error))

/** The StorageError for a failed system call. */
export function fromSystem(error: unknown): StorageError {
  const code = codeOf(error)
  if (NO_SPACE.has(code)) return new StorageError('NO_SPACE', `no space is left (${code})`, { cause: error })
  return new StorageError('UNAVAILABLE', `the disk failed (${(error as Error).message})`, { cause: error })
}

/** The result of a system call. @throws StorageError in place of the error of the system */
export async function withStorageErrors<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw fromSystem(error)
  }
}

/**
 * Writes a new file. After a failure, the caller removes it.
 * @param options.durable syncs the file to the disk
 * @returns its bytes
 * @throws StorageError NO_SPACE, UNAVAILABLE; the body's error; `signal.reason`
 */
export async function writeFile(
  path: string,
  body: Body,
  { signal, durable }: { signal?: AbortSignal | undefined; durable: boolean },
): Promise<number> {
  const file = await withStorageErrors(
    open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600),
  )
  // While one write runs, the chunks of the next are gathered.
  let writing: Promise<void> | undefined
  try {
    let buffer: Buffer<ArrayBuffer> | undefined = Buffer.allocUnsafeSlow(FIRST_WRITE_BYTES)
    let other: Buffer<ArrayBuffer> | undefined
    let used = 0
    let size = 0
    let synced = 0
    let syncing: Promise<void> | undefined
    const write = async (bytes: Uint8Array) => {
      await writing
      writing = writeAll(file, bytes)
      writing.catch(() => {})
      if (!durable || syncing || size - synced < SYNC_BYTES) return
      synced = size
      // The last write fails with the same error.
      syncing = file
        .datasync()
        .catch(() => {})
        .finally(() => {
          syncing = undefined
        })
    }
    const flush = async () => {
      if (!buffer || used === 0) return
      await write(buffer.subarray(0, used))
      used = 0
      // Nothing is written from the other one any more.
      ;[buffer, other] = [other, buffer.byteLength === WRITE_BYTES ? buffer : undefined]
    }
    for await (const chunk of chunksOf(body, signal)) {
      size += chunk.byteLength
      if (chunk.byteLength >= WRITE_BYTES) {
        await flush()
        await write(chunk)
        await writing
        continue
      }
      for (let taken = 0; taken < chunk.byteLength; ) {
        buffer ??= Buffer.allocUnsafeSlow(WRITE_BYTES)
        const part = chunk.subarray(taken, taken + buffer.byteLength - used)
        buffer.set(part, used)
        used += part.byteLength
        taken += part.byteLength
        if (used === buffer.byteLength) await flush()
      }
    }
    await flush()
    await writing
    await syncing
    if (durable) await withStorageErrors(file.sync())
    return size
  } finally {
    await writing?.catch(() => {})
    await file.close().catch(() => {})
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    // A disk that is nearly full writes a part.
    const { bytesWritten } = await withStorageErrors(file.write(bytes, written))
    written += bytesWritten
  }
}

/** A strong ETag, because no file is changed in place: every write makes a new file. */
export const etagOf = ({ ino, size, mtimeNs }: { ino: bigint; size: bigint; mtimeNs: bigint }): string =>
  `"${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}"`

/** The largest part that an answer holds in memory. Thumbnails are smaller, and a stream would hold larger chunks. */
export const IN_MEMORY_BYTES = 256 * 1024

/** @throws StorageError UNAVAILABLE when the file has become shorter */
export async function readPart(
  file: FileHandle,
  { start, end }: ByteRange,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end + 1 - start)
  for (let read = 0; read < bytes.byteLength; ) {
    const { bytesRead } = await withStorageErrors(
      file.read(bytes, read, bytes.byteLength - read, start + read),
    )
    if (bytesRead === 0) throw new StorageError('UNAVAILABLE', 'the file has become shorter')
    read += bytesRead
  }
  return bytes
}

/** Reads on demand, and closes the file at the end, after an error and when it is cancelled. */
export function streamFile(file: FileHandle, { start, end }: ByteRange): ReadableStream<Uint8Array> {
  let position = start
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (position <= end) {
            const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end + 1 - position))
            const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position)
            if (bytesRead === 0) throw new StorageError('UNAVAILABLE', 'the file has become shorter')
            controller.enqueue(buffer.subarray(0, bytesRead))
            position += bytesRead
          }
          if (position > end) {
            await file.close()
            controller.close()
          }
        } catch (error) {
          await file.close().catch(() => {})
          throw error instanceof StorageError ? error : fromSystem(error)
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  )
}

/** Temporary files and directories with random names. A crash may leave some behind. */
export class Temporaries {
  private readonly live = new Set<string>()

  constructor(private readonly directory: string) {}

  /** Calls `use` with a path at which there is no file yet. `use` moves its file away; when `use` fails, the file is removed. */
  async lend<T>(use: (path: string) => Promise<T>): Promise<T> {
    const { path, dispose, release } = this.take()
    try {
      const result = await use(path)
      release()
      return result
    } catch (error) {
      await dispose().catch(() => {})
      throw error
    }
  }

  /** The same, until it is disposed, or released because the caller has moved the file away. */
  take(): { path: string; dispose: () => Promise<void>; release: () => void } {
    const name = crypto.randomUUID()
    const path = join(this.directory, name)
    this.live.add(name)
    return {
      path,
      dispose: async () => {
        await rm(path, { recursive: true, force: true })
        this.live.delete(name)
      },
      release: () => void this.live.delete(name),
    }
  }

  /** Removes the files of other or earlier processes that were last changed before `olderThan`. */
  async removeStale(olderThan: Date): Promise<number> {
    let removed = 0
    for await (const { name } of await withStorageErrors(opendir(this.directory))) {
      const path = join(this.directory, name)
      const found = this.live.has(name) ? undefined : await stat(path).catch(() => undefined)
      if (!found || found.mtime >= olderThan) continue
      await withStorageErrors(rm(path, { recursive: true, force: true }))
      removed++
    }
    return removed
  }
}

/** Under DATA_DIR, because the system's temporary directory may be in memory. */
export async function openTemporaries(directory: string): Promise<Temporaries> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return new Temporaries(directory)
}

/** @param fill makes the file in the new directory, or returns the path of an existing one */
export async function lendLocally(
  temporaries: Temporaries,
  fill: (directory: string) => Promise<string>,
): Promise<LocalFile> {
  const { path: directory, dispose } = temporaries.take()
  const scratch = join(directory, 'scratch')
  try {
    await withStorageErrors(mkdir(scratch, { recursive: true, mode: 0o700 }))
    return { path: await fill(directory), scratch, dispose, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
