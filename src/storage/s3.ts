import { basename, join, resolve } from 'node:path'
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import type { S3Config } from '../config/storage.ts'
import type { Logger } from '../util/logger.ts'
import { released } from '../util/released.ts'
import { contentTypeOf, dispositionOf } from './content-types.ts'
import { IN_MEMORY_BYTES, lendLocally, openTemporaries, writeFile } from './files.ts'
import { assertKey, assertPrefix, isKey, keyToPath } from './keys.ts'
import { openBucket } from './s3/bucket.ts'
import { LocalCopies } from './s3/copies.ts'
import { fromS3, isMissing, withS3Errors } from './s3/errors.ts'
import { createTransport } from './s3/transport.ts'
import { abortStaleUploads } from './s3/unfinished.ts'
import { upload } from './s3/upload.ts'
import { endedBy } from './source.ts'
import {
  type ByteRange,
  type ListedObject,
  type Storage,
  StorageError,
  type StoredObject,
} from './storage.ts'

const IDLE_MS = 30_000
const PING_MS = 5000
const QUIET = { trace() {}, debug() {}, info() {}, error() {} }
/** The limit of one DeleteObjects request. */
const MAX_DELETIONS = 1000

/**
 * Objects in a bucket, which is created if it is missing. `dataDir` holds copies for programs that need files.
 * @throws StartupError when the bucket can't be used
 */
export async function createS3Storage(config: S3Config, dataDir: string, log: Logger): Promise<Storage> {
  const client = new S3Client({
    ...(config.endpoint ? { endpoint: config.endpoint, forcePathStyle: true } : {}),
    region: config.region,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    requestHandler: createTransport(IDLE_MS),
    maxAttempts: 3,
    // Older servers do not know checksums that S3 does not require. The signature has a hash of the body anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A server that does not know this header delays every part.
    expectContinueHeader: false,
    logger: { ...QUIET, warn: (text) => log.warn({ text: String(text) }, 'the S3 client warns') },
  })
  try {
    await openBucket(client, config)
  } catch (error) {
    client.destroy()
    throw error
  }
  const scratch = await openTemporaries(resolve(dataDir, 'tmp'))
  const Bucket = config.bucket
  const live = new Set<string>()
  const copies = new LocalCopies(scratch, async (key, path, { etag, range, signal }) => {
    const found = await get(key, range, signal)
    if (found?.etag !== etag) {
      await found?.body.cancel()
      throw new StorageError('NOT_FOUND', 'the object was replaced or deleted')
    }
    const size = await writeFile(path, received(found.body), { signal, durable: false })
    if (size !== lengthOf(found)) throw new StorageError('UNAVAILABLE', 'the object broke off')
  })

  async function get(
    key: string,
    range?: ByteRange,
    abortSignal?: AbortSignal,
  ): Promise<StoredObject | undefined> {
    if (!isKey(key)) return undefined
    const Range = range && `bytes=${range.start}-${range.end}`
    try {
      const command = new GetObjectCommand({ Bucket, Key: key, Range })
      const found = await client.send(command, abortSignal ? { abortSignal } : {})
      // bytes 0-99/1234
      const [, start, end, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(found.ContentRange ?? '') ?? []
      return {
        size: Number(size ?? found.ContentLength),
        etag: found.ETag!,
        lastModified: found.LastModified!,
        contentType: contentTypeOf(key),
        body: found.Body as unknown as ReadableStream<Uint8Array>,
        range: size === undefined ? undefined : { start: Number(start), end: Number(end) },
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw fromS3(error)
    }
  }

  /** @returns false when there is no object to copy */
  async function copy(from: string, to: string): Promise<boolean> {
    const CopySource = `${Bucket}/${keyToPath(assertKey(from))}`
    const Key = assertKey(to)
    try {
      await client.send(new CopyObjectCommand({ Bucket, Key, CopySource }))
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw fromS3(error)
    }
  }

  async function remove(keys: string[]): Promise<void> {
    keys.forEach(assertKey)
    const failures: unknown[] = []
    for (let i = 0; i < keys.length; i += MAX_DELETIONS) {
      await removeBatch(keys.slice(i, i + MAX_DELETIONS)).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async function* list(prefix: string): AsyncGenerator<ListedObject> {
    try {
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: assertPrefix(prefix) })) {
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          yield { key: Key!, size: Size!, lastModified: LastModified! }
        }
      }
    } catch (error) {
      throw error instanceof StorageError ? error : fromS3(error)
    }
  }

  async function removeBatch(keys: string[]): Promise<void> {
    const Objects = keys.map((Key) => ({ Key }))
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } })
    const { Errors = [] } = await withS3Errors(client.send(command))
    const kept = Errors.find(({ Code }) => Code !== 'NoSuchKey')
    if (kept) throw new StorageError('UNAVAILABLE', `an object could not be deleted (${kept.Code})`)
  }

  return {
    kind: 's3',

    async write(key, body, { signal } = {}) {
      const target = {
        Bucket,
        Key: assertKey(key),
        ContentType: contentTypeOf(key),
        ContentDisposition: dispositionOf(key),
        // The header of answers from the bucket: an object may be deleted, and nobody should still find it in a cache.
        CacheControl: 'no-cache',
      }
      try {
        return await upload({ client, live, log }, target, body, signal)
      } catch (error) {
        throw endedBy(error, signal)
      }
    },

    read: (key, { range } = {}) => get(key, range),

    async open(key, info, { range, signal } = {}) {
      const part = { start: range?.start ?? 0, end: Math.min(range?.end ?? info.size, info.size - 1) }
      if (range && part.start >= info.size) {
        throw new StorageError('RANGE_NOT_SATISFIABLE', `the object has ${info.size} bytes`)
      }
      if (part.end + 1 - part.start > IN_MEMORY_BYTES) {
        try {
          const content = await copies.open(key, info, part, signal)
          if (content) return { ...info, range: range && part, content }
        } catch (error) {
          const { code } = error as StorageError
          if (code === 'NOT_FOUND') return undefined
          if (code !== 'NO_SPACE') throw endedBy(error, signal)
        }
      }
      const found = await get(key, range)
      if (!found) return undefined
      const { body, ...rest } = found
      return { ...rest, content: lengthOf(found) > IN_MEMORY_BYTES ? body : await bytesOf(body) }
    },

    async head(key) {
      if (!isKey(key)) return undefined
      try {
        const found = await client.send(new HeadObjectCommand({ Bucket, Key: key }))
        return {
          size: found.ContentLength!,
          etag: found.ETag!,
          lastModified: found.LastModified!,
          contentType: contentTypeOf(key),
        }
      } catch (error) {
        if (isMissing(error)) return undefined
        throw fromS3(error)
      }
    },

    async move(from, to) {
      await copies.forget([from, to])
      if (await copy(from, to)) await remove([from])
    },

    async copy(from, to) {
      await copies.forget([to])
      return copy(from, to)
    },

    async delete(keys) {
      await copies.forget(keys)
      await remove(keys)
    },

    async deleteFolder(folder) {
      assertKey(folder.slice(0, -1))
      const keys: string[] = []
      for await (const { key } of list(folder)) keys.push(key)
      await copies.forget(keys)
      await remove(keys)
    },

    list,

    async abortUnfinished(olderThan) {
      await scratch.removeStale(olderThan)
      return abortStaleUploads(client, Bucket, olderThan, live)
    },

    publicUrl: (key) => config.publicUrl && `${config.publicUrl}/${keyToPath(assertKey(key))}`,

    openLocal: (key, { signal } = {}) =>
      lendLocally(scratch, async (directory) => {
        const path = join(directory, basename(key))
        try {
          const found = await get(key, undefined, signal)
          if (!found) throw new StorageError('NOT_FOUND', `there is no object ${JSON.stringify(key)}`)
          const size = await writeFile(path, received(found.body), { signal, durable: false })
          if (size !== found.size) throw new StorageError('UNAVAILABLE', 'the object broke off')
          return path
        } catch (error) {
          throw endedBy(error, signal)
        }
      }),

    fileOf: () => undefined,

    free: async () => undefined,

    async ping() {
      const start = performance.now()
      await withS3Errors(
        client.send(new HeadBucketCommand({ Bucket }), { abortSignal: AbortSignal.timeout(PING_MS) }),
      )
      return performance.now() - start
    },

    async close() {
      await copies.close()
      client.destroy()
    },
  }
}

const lengthOf = ({ range, size }: StoredObject): number => (range ? range.end + 1 - range.start : size)

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return (await new Response(body).bytes()) as Uint8Array<ArrayBuffer>
  } catch (error) {
    throw fromS3(error)
  }
}

async function* received(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* released(body)
  } catch (error) {
    throw fromS3(error)
  }
}
