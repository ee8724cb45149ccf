/** Whole servers, each on one form of the storage, with a way to look behind it and to fill it up. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ListMultipartUploadsCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { keysOf, rawClient, startS3 } from '../storage/kinds.ts'
import { startServer, type TestServer } from './server.ts'

export interface StoredServer {
  server: TestServer
  /** Every key that begins so. */
  keys(prefix: string): Promise<string[]>
  /** What writes that have not ended have left so far. */
  unfinished(): Promise<string[]>
  /** What stops the next file after some megabytes; each ends when it is disposed of. Undefined: not on this machine. */
  faults: Record<string, (() => Promise<AsyncDisposable>) | undefined>
  stop(): Promise<void>
}

async function onDisk(): Promise<StoredServer> {
  const server = await startServer()
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

/** Room for four megabytes, in place of what is in `directory`. */
async function smallDisk(directory: string): Promise<AsyncDisposable> {
  Bun.spawnSync([...SMALL, directory])
  await mkdir(join(directory, '.unfinished'))
  return { [Symbol.asyncDispose]: async () => void Bun.spawnSync(['umount', '-l', directory]) }
}

/** The bucket that docs/operations.md describes: two prefixes are for everybody. */
export interface PublicBucket extends StoredServer {
  bucketUrl: string
  /** Refuses so many of the next requests of this operation. */
  failNext(operation: string, times: number): Promise<void>
}

async function onS3(): Promise<PublicBucket> {
  const s3 = await startS3()
  const config = s3.config()
  const { endpoint, bucket: Bucket } = config
  const bucketUrl = `${endpoint}/${Bucket}`
  const server = await startServer({
    S3_ENDPOINT: endpoint!,
    S3_BUCKET: Bucket,
    S3_REGION: config.region,
    S3_ACCESS_KEY_ID: config.accessKeyId,
    S3_SECRET_ACCESS_KEY: config.secretAccessKey,
    S3_PUBLIC_URL: bucketUrl,
  })
  const client = rawClient(config)
  await client.send(new PutBucketPolicyCommand({ Bucket, Policy: await documentedPolicy(Bucket) }))
  /** The second part is refused so often that the storage gives up. */
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
      client.destroy()
      await server.stop()
      await s3[Symbol.asyncDispose]()
    },
  }
}

/** As docs/operations.md has it. */
async function documentedPolicy(bucket: string): Promise<string> {
  const page = await Bun.file(join(import.meta.dir, '../../docs/operations.md')).text()
  const policy = /```json\n(\{[^`]*"s3:GetObject"[^`]*)```/.exec(page)![1]!
  return policy.replaceAll('YOUR_BUCKET', bucket)
}

/** One of each, started. */
export async function openStorages() {
  const [disk, s3] = await Promise.all([onDisk(), onS3()])
  return {
    s3,
    each: [
      ['disk', disk],
      ['S3', s3],
    ] as [name: string, stored: StoredServer][],
    stop: async () => void (await Promise.all([disk.stop(), s3.stop()])),
  }
}
