import { type BigIntStats, constants, type Dirent } from 'node:fs'
import {
  access,
  copyFile,
  lstat,
  mkdir,
  open,
  opendir,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { contentTypeOf } from './content-types.ts'
import {
  codeOf,
  etagOf,
  fromSystem,
  IN_MEMORY_BYTES,
  isMissing,
  lendLocally,
  openTemporaries,
  readPart,
  streamFile,
  withStorageErrors,
  writeFile,
} from './files.ts'
import { assertKey, assertPrefix, isKey } from './keys.ts'
import { endedBy } from './source.ts'
import { type ByteRange, type ListedObject, type ObjectInfo, type Storage, StorageError } from './storage.ts'

/** No key begins with a dot. The directory is within the root, so that a finished file is moved and not copied. */
const UNFINISHED = '.unfinished'
const DELETIONS_AT_ONCE = 16
const DIRECTORY_CAME_OR_WENT = new Set(['ENOENT', 'EEXIST'])
const PUBLISH_TRIES = 6

/** Objects as files under `dataDir`/objects. A key is the path there. */
export async function createDiskStorage(dataDir: string): Promise<Storage> {
  const root = resolve(dataDir, 'objects')
  const unfinished = await openTemporaries(join(root, UNFINISHED))
  const scratch = await openTemporaries(resolve(dataDir, 'tmp'))
  const pathOf = (key: string) => join(root, key)

  /** Moves a finished file to its key. It replaces an existing file there in one step. */
  async function publish(draft: string, path: string, durable = true): Promise<void> {
    const directory = dirname(path)
    let made: string | undefined
    for (let tries = 1; ; tries++) {
      try {
        // The directory of nearly every object exists. Without it, the first rename fails with ENOENT.
        if (tries > 1) made = (await mkdir(directory, { recursive: true, mode: 0o700 })) ?? made
        await rename(draft, path)
        if (!durable) return
        for (let level = directory; ; level = dirname(level)) {
          await sync(level)
          if (!made || level === root) return
        }
      } catch (error) {
        // A deletion removes a directory that it leaves empty. It may do so between `mkdir` and `rename`, or while `mkdir`
        // runs, which then fails with EEXIST or ENOENT.
        if (!DIRECTORY_CAME_OR_WENT.has(codeOf(error) ?? '') || tries === PUBLISH_TRIES) throw error
      }
    }
  }

  /** @returns undefined when there is no file. The caller closes the file. */
  async function openPart(key: string, range: ByteRange | undefined) {
    if (!isKey(key)) return undefined
    const file = await open(pathOf(key)).catch((error) => {
      if (isMissing(error)) return undefined
      throw fromSystem(error)
    })
    if (!file) return undefined
    try {
      const found = await withStorageErrors(file.stat({ bigint: true }))
      if (found.isFile()) {
        const info = infoOf(key, found)
        const part = { start: range?.start ?? 0, end: Math.min(range?.end ?? info.size, info.size - 1) }
        if (!range || part.start < info.size) return { file, info, part }
        throw new StorageError('RANGE_NOT_SATISFIABLE', `the object has ${info.size} bytes`)
      }
      await file.close()
      return undefined
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
  }

  /** Removes a file, and the directories that it leaves empty. */
  async function remove(key: string): Promise<void> {
    try {
      await unlink(pathOf(key))
    } catch (error) {
      if (isMissing(error) || codeOf(error) === 'EISDIR') return
      throw fromSystem(error)
    }
    await removeEmptyAbove(key)
  }

  async function removeEmptyAbove(key: string): Promise<void> {
    for (let directory = dirname(key); directory !== '.'; directory = dirname(directory)) {
      if (
        !(await rmdir(pathOf(directory)).then(
          () => true,
          () => false,
        ))
      )
        return
    }
  }

  /** None when the directory is gone: the empty directory of a deleted object is removed. */
  async function* entriesOf(directory: string): AsyncGenerator<Dirent> {
    try {
      yield* await opendir(pathOf(directory))
    } catch (error) {
      if (!isMissing(error)) throw fromSystem(error)
    }
  }

  async function* walk(directory: string, prefix: string): AsyncGenerator<ListedObject> {
    for await (const entry of entriesOf(directory)) {
      const key = directory + entry.name
      if (!key.startsWith(prefix) || !isKey(key)) continue
      if (entry.isDirectory()) {
        yield* walk(`${key}/`, prefix)
      } else if (entry.isFile()) {
        const found = await lstat(pathOf(key)).catch(() => undefined)
        if (found) yield { key, size: found.size, lastModified: found.mtime }
      }
    }
  }

  return {
    kind: 'disk',

    async write(key, body, { signal, durable = true } = {}) {
      const path = pathOf(assertKey(key))
      try {
        return await unfinished.lend(async (draft) => {
          const size = await writeFile(draft, body, { signal, durable })
          signal?.throwIfAborted()
          await withStorageErrors(publish(draft, path, durable))
          return size
        })
      } catch (error) {
        throw endedBy(error, signal)
      }
    },

    async read(key, { range } = {}) {
      const opened = await openPart(key, range)
      if (!opened) return undefined
      const { file, info, part } = opened
      return { ...info, range: range && part, body: streamFile(file, part) }
    },

    async open(key, _info, { range } = {}) {
      const opened = await openPart(key, range)
      if (!opened) return undefined
      const { file, info, part } = opened
      try {
        const small = part.end + 1 - part.start <= IN_MEMORY_BYTES
        // Not by its descriptor, because Bun then sends the length of the whole file.
        const content = small
          ? await readPart(file, part)
          : Bun.file(pathOf(key)).slice(part.start, part.end + 1)
        return { ...info, range: range && part, content }
      } finally {
        await file.close().catch(() => {})
      }
    },

    async head(key) {
      if (!isKey(key)) return undefined
      const found = await stat(pathOf(key), { bigint: true }).catch((error) => {
        if (isMissing(error)) return undefined
        throw fromSystem(error)
      })
      if (!found?.isFile()) return undefined
      return infoOf(key, found)
    },

    async move(from, to) {
      const [source, target] = [pathOf(assertKey(from)), pathOf(assertKey(to))]
      if (!(await stat(source).catch(() => undefined))?.isFile()) return
      try {
        await publish(source, target)
      } catch (error) {
        if (!isMissing(error)) throw fromSystem(error)
      }
      await removeEmptyAbove(from)
    },

    async copy(from, to) {
      const [source, target] = [pathOf(assertKey(from)), pathOf(assertKey(to))]
      return unfinished.lend(async (draft) => {
        try {
          await copyFile(source, draft, constants.COPYFILE_FICLONE)
          await sync(draft)
        } catch (error) {
          if (isMissing(error)) return false
          throw fromSystem(error)
        }
        await withStorageErrors(publish(draft, target))
        return true
      })
    },

    async delete(keys) {
      keys.forEach(assertKey)
      let failure: unknown
      for (let i = 0; i < keys.length; i += DELETIONS_AT_ONCE) {
        const results = await Promise.allSettled(keys.slice(i, i + DELETIONS_AT_ONCE).map(remove))
        failure ??= results.find(({ status }) => status === 'rejected')
      }
      if (failure) throw (failure as PromiseRejectedResult).reason
    },

    async deleteFolder(folder) {
      const key = assertKey(folder.slice(0, -1))
      await withStorageErrors(rm(pathOf(key), { recursive: true, force: true }))
      await removeEmptyAbove(key)
    },

    list: (prefix) => walk(assertPrefix(prefix).slice(0, prefix.lastIndexOf('/') + 1), prefix),

    async abortUnfinished(olderThan) {
      await scratch.removeStale(olderThan)
      return unfinished.removeStale(olderThan)
    },

    publicUrl: () => undefined,

    openLocal: (key) =>
      lendLocally(scratch, async () => {
        if (!isKey(key) || !(await stat(pathOf(key)).catch(() => undefined))?.isFile()) {
          throw new StorageError('NOT_FOUND', `there is no object ${JSON.stringify(key)}`)
        }
        return pathOf(key)
      }),

    fileOf: (key) => pathOf(assertKey(key)),

    async free() {
      const { bavail, bsize } = await withStorageErrors(statfs(root))
      return bavail * bsize
    },

    async ping() {
      const start = performance.now()
      await withStorageErrors(access(root, constants.W_OK))
      return performance.now() - start
    },

    async close() {},
  }
}

const infoOf = (key: string, found: BigIntStats): ObjectInfo => ({
  size: Number(found.size),
  etag: etagOf(found),
  lastModified: found.mtime,
  contentType: contentTypeOf(key),
})

/** Of a file, its content; of a directory, the names in it: a new name survives a power cut only when it is on the disk. */
async function sync(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
