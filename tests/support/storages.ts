/** Servers, one for each kind of storage, with access to the stored objects and with faults of the storage. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ListMultipartUploadsCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import type { Overrides } from '../../src/server.ts'
import { keysOf, rawClient, startS3 } from '../storage/kinds.ts'
import { startServer, type TestServer } from './server.ts'

export interface StoredServer {
  server: TestServer
  /** Every key with this prefix. */
  keys(prefix: string): Promise<string[]>
  /** Temporary objects of writes that have not ended. */
  unfinished(): Promise<string[]>
  /** Faults that stop the next file after some megabytes, until disposed of. Undefined when this machine cannot make one. */
  faults: Record<string, (() => Promise<AsyncDisposable>) | undefined>
  stop(): Promise<void>
}

async function onDisk(overrides: Overrides): Promise<StoredServer> {
  const server = await startServer({}, overrides)
  const { storage, config } = server.ctx
  const objects = join(config.dataDir, 'objects')
  return {
    server,
    keys: (prefix) => keysOf(storage, prefix),
    unfinished: () => readdir(join(objects, '.unfinished')),
    faults: { 'disk full': canMount ? () => smallDisk(objects) : undefined },
    stop: () => server.stop(),
  }
}

const SMALL = ['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs']
const canMount =
  Bun.which('mount') !== null &&
  Bun.spawnSync(['unshare', '--mount', ...SMALL, '/tmp'], { stderr: 'ignore' }).exitCode === 0
if (!canMount) console.log('skipped: a full disk (nothing can be mounted here)')

/** Mounts a file system of four megabytes over `directory`. */
async function smallDisk(directory: string): Promise<AsyncDisposable> {
  Bun.spawnSync([...SMALL, directory])
  await mkdir(join(directory, '.unfinished'))
  return { [Symbol.asyncDispose]: async () => void Bun.spawnSync(['umount', '-l', directory]) }
}

/** The bucket that docs/operations.md describes: three prefixes are public. */
export interface PublicBucket extends StoredServer {
  bucketUrl: string
  /** Refuses this many of the next requests of this operation. */
  failNext(operation: string, times: number): Promise<void>
}

/** An S3 of the test's own, with what a server needs to use a bucket there. */
export async function startBucket() {
  const s3 = await startS3()
  const config = s3.config()
  const { endpoint, bucket: Bucket } = config
  const bucketUrl = `${endpoint}/${Bucket}`
  const client = rawClient(config)
  return {
    s3,
    client,
    Bucket,
    bucketUrl,
    env: {
      S3_ENDPOINT: endpoint!,
      S3_BUCKET: Bucket,
      S3_REGION: config.region,
      S3_ACCESS_KEY_ID: config.accessKeyId,
      S3_SECRET_ACCESS_KEY: config.secretAccessKey,
      S3_PUBLIC_URL: bucketUrl,
    },
    /** Gives the bucket its policy. The first start of a server makes the bucket. */
    open: async () =>
      client.send(new PutBucketPolicyCommand({ Bucket, Policy: await documentedPolicy(Bucket) })),
    async [Symbol.asyncDispose]() {
      client.destroy()
      await s3[Symbol.asyncDispose]()
    },
  }
}

async function onS3(overrides: Overrides): Promise<PublicBucket> {
  const bucket = await startBucket()
  const { s3, client, Bucket, bucketUrl } = bucket
  const server = await startServer(bucket.env, overrides)
  await bucket.open()
  /** Refuses the second part more often than the storage tries it. */
  const part = (status: number, code: string, times: number) => async () => {
    await s3.order({ operation: 'UploadPart', skip: 1, times, how: 'refuse', status, code })
    return { [Symbol.asyncDispose]: s3.forget }
  }
  return {
    server,
    bucketUrl,
    failNext: (operation, times) => s3.order({ operation, times, how: 'refuse' }),
    keys: (prefix) => keysOf(server.ctx.storage, prefix),
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
      return Uploads.map(({ UploadId }) => UploadId!)
    },
    faults: {
      'storage full': part(507, 'XMinioStorageFull', 3),
      'access taken away halfway': part(403, 'AccessDenied', 1),
    },
    async stop() {
      await server.stop()
      await bucket[Symbol.asyncDispose]()
    },
  }
}

/** The policy in docs/operations.md. */
async function documentedPolicy(bucket: string): Promise<string> {
  const page = await Bun.file(join(import.meta.dir, '../../docs/operations.md')).text()
  const policy = /```json\n(\{[^`]*"s3:GetObject"[^`]*)```/.exec(page)![1]!
  return policy.replaceAll('YOUR_BUCKET', bucket)
}

/** Starts one server of each kind. `overrides`: parts that the test brings along. */
export async function openStorages(overrides: Overrides = {}) {
  const [disk, s3] = await Promise.all([onDisk(overrides), onS3(overrides)])
  return {
    s3,
    each: [
      ['disk', disk],
      ['S3', s3],
    ] as [name: string, stored: StoredServer][],
    stop: async () => void (await Promise.all([disk.stop(), s3.stop()])),
  }
}
