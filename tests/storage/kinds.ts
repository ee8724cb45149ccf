/** Both forms of the storage, each with a way to look at what it has stored. */
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { S3Config } from '../../src/config/storage.ts'
import { createDiskStorage } from '../../src/storage/disk.ts'
import { createS3Storage } from '../../src/storage/s3.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createLogger } from '../../src/util/logger.ts'
import { unique } from '../support/factories.ts'
import type { FaultOrder } from '../support/s3-server/faults.ts'

export const log = createLogger('silent')

export interface OpenStorage {
  storage: Storage
  /** The remains of writes that have not ended. */
  unfinished(): Promise<string[]>
  /** Begins a write and never ends it, as a killed server does. `continue` makes progress in it. */
  leaveUnfinished(key: string): Promise<{ name: string; continue(): Promise<void> }>
  remove(): Promise<void>
}

const made: string[] = []

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'roost-storage-'))
  made.push(directory)
  return directory
}

/** Call it at the end of a test file. */
export function removeDirectories(): void {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
}

async function openDisk(): Promise<OpenStorage> {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  const unfinished = join(dataDir, 'objects', '.unfinished')
  return {
    storage,
    unfinished: () => readdir(unfinished),
    async leaveUnfinished() {
      const name = crypto.randomUUID()
      const path = join(unfinished, name)
      await Bun.write(path, 'some of it')
      return { name, continue: async () => void (await Bun.write(path, 'more of it')) }
    },
    async remove() {
      await storage.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}

export async function openS3(config: S3Config): Promise<OpenStorage & { dataDir: string }> {
  const dataDir = temporaryDirectory()
  const storage = await createS3Storage(config, dataDir, log)
  const client = rawClient(config)
  const Bucket = config.bucket
  return {
    dataDir,
    storage,
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
      return Uploads.map(({ UploadId }) => UploadId!)
    },
    async leaveUnfinished(Key) {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const part = (PartNumber: number) =>
        client.send(new UploadPartCommand({ Bucket, Key, UploadId, Body: 'some of it', PartNumber }))
      await part(1)
      return { name: UploadId!, continue: async () => void (await part(2)) }
    },
    async remove() {
      await storage.delete(await keysOf(storage))
      await client.send(new DeleteBucketCommand({ Bucket })).catch(() => {})
      client.destroy()
      await storage.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}

export async function keysOf(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}

/** For requests that the storage itself never sends. */
export function rawClient({ endpoint, region, accessKeyId, secretAccessKey }: S3Config): S3Client {
  return new S3Client({
    endpoint: endpoint!,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
}

export interface S3Server extends AsyncDisposable {
  /** Each call makes a storage with a bucket of its own. */
  config(): S3Config
  order(fault: FaultOrder): Promise<void>
  /** The faults that were ordered and have not happened. */
  forget(): Promise<void>
}

/**
 * Starts the tests' own S3, which ends with this process at the latest.
 * @param page largest list that it answers; S3's own is 1,000
 */
export async function startS3(page = 1000): Promise<S3Server> {
  const directory = temporaryDirectory()
  const keys = { accessKeyId: 'tester', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
  const server = Bun.spawn(
    [
      'bun',
      join(import.meta.dir, '../support/s3-server/main.ts'),
      directory,
      ...Object.values(keys),
      String(page),
    ],
    { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
  )
  const { value } = await server.stdout.getReader().read()
  const endpoint = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`
  return {
    config: () => ({
      endpoint,
      region: 'us-east-1',
      bucket: unique('roost-'),
      ...keys,
      publicUrl: undefined,
    }),
    async order(fault) {
      await fetch(`${endpoint}/-/fault`, { method: 'POST', body: JSON.stringify(fault) })
    },
    async forget() {
      await fetch(`${endpoint}/-/fault`, { method: 'DELETE' })
    },
    async [Symbol.asyncDispose]() {
      server.kill()
      await server.exited
      rmSync(directory, { recursive: true })
    },
  }
}

/** `TEST_S3_ENDPOINT` adds a real server, and `TEST_S3_ACCESS_KEY_ID` and `TEST_S3_SECRET_ACCESS_KEY` are its key. */
const endpoint = process.env.TEST_S3_ENDPOINT

/** Closes the storages and the servers. */
export const kinds: [name: string, open: () => Promise<OpenStorage>][] = [
  ['disk', openDisk],
  [
    'S3',
    async () => {
      const server = await startS3()
      const opened = await openS3(server.config())
      const remove = async () => {
        await opened.remove()
        await server[Symbol.asyncDispose]()
      }
      return { ...opened, remove }
    },
  ],
]
if (endpoint) {
  const config = {
    endpoint,
    region: 'us-east-1',
    accessKeyId: process.env.TEST_S3_ACCESS_KEY_ID ?? 'tester',
    secretAccessKey: process.env.TEST_S3_SECRET_ACCESS_KEY ?? 'tester-secret',
    publicUrl: undefined,
  }
  kinds.push(['S3 (TEST_S3_ENDPOINT)', () => openS3({ ...config, bucket: unique('roost-') })])
}

/** A body of `size` bytes, all `fill`, in chunks as a socket delivers them. */
export async function* bytes(size: number, fill = 1, chunk = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= chunk) {
    yield new Uint8Array(Math.min(left, chunk)).fill(fill)
    // Other work runs between two chunks, as with a socket.
    await new Promise(setImmediate)
  }
}
