import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Logger } from '../../util/logger.ts'
import { isMissing, withS3Errors } from './errors.ts'

/** The smallest part that S3 accepts. Each upload holds two parts in memory. 10,000 parts make 48 GB. */
export const PART_BYTES = 5 * 1024 * 1024
/** The first buffer is smaller, because most bodies are small. */
const FIRST_BYTES = 256 * 1024
/** Buffers per upload: one is sent while the other is filled, or both are sent. */
const BUFFERS = 2
/** How long an abort waits for parts in flight, because S3 may keep a part that arrives while its upload is aborted. */
const GRACE_MS = 2000

export type Target = Required<
  Pick<PutObjectCommandInput, 'ContentType' | 'ContentDisposition' | 'CacheControl'>
> & {
  Bucket: string
  Key: string
}

export interface Part {
  number: number
  buffer: Buffer<ArrayBuffer>
  /** How many bytes of the buffer are filled. */
  bytes: Uint8Array
}

export interface UploadContext {
  client: S3Client
  log: Logger
  /** Ids of the unfinished uploads of this process. */
  live: Set<string>
}

/** One multipart upload, which begins with its first part, and its buffers. */
export class Multipart {
  private id: string | undefined
  private made = 0
  private readonly free: Buffer<ArrayBuffer>[] = []
  private readonly inFlight = new Set<Promise<void>>()
  private readonly done: CompletedPart[] = []
  private readonly cancelled = new AbortController()

  /** @param failed is aborted with the reason when a part fails */
  constructor(
    private readonly context: UploadContext,
    private readonly target: Target,
    private readonly failed: AbortController,
  ) {}

  /** The first buffer is smaller, and the caller replaces it when it is full. Waits while all buffers are being sent. */
  async takeBuffer(): Promise<Buffer<ArrayBuffer>> {
    if (this.free.length === 0 && this.made < BUFFERS) {
      return Buffer.allocUnsafeSlow(this.made++ === 0 ? FIRST_BYTES : PART_BYTES)
    }
    while (this.free.length === 0) await Promise.race(this.inFlight)
    return this.free.pop()!
  }

  /** Resolves when the part is being sent. */
  async send({ number: PartNumber, buffer, bytes: Body }: Part): Promise<void> {
    const { client, live } = this.context
    if (!this.id) {
      this.id = (await withS3Errors(client.send(new CreateMultipartUploadCommand(this.target)))).UploadId!
      live.add(this.id)
    }
    const command = new UploadPartCommand({ ...this.named(), PartNumber, Body })
    const sending = withS3Errors(client.send(command, { abortSignal: this.cancelled.signal })).then(
      ({ ETag }) => {
        this.done.push({ ETag, PartNumber })
        this.free.push(buffer)
        this.inFlight.delete(sending)
      },
    )
    sending.catch((error) => this.failed.abort(error))
    this.inFlight.add(sending)
  }

  async allSent(): Promise<void> {
    await Promise.all(this.inFlight)
  }

  async complete(size: number): Promise<void> {
    const { client, live } = this.context
    const Parts = this.done.sort((a, b) => a.PartNumber! - b.PartNumber!)
    const command = new CompleteMultipartUploadCommand({ ...this.named(), MultipartUpload: { Parts } })
    await client.send(command).catch(async (error) => {
      // An earlier try may have succeeded although its answer was lost.
      const { Bucket, Key } = this.target
      const found = await client.send(new HeadObjectCommand({ Bucket, Key })).catch(() => undefined)
      if (found?.ContentLength !== size) await withS3Errors(Promise.reject(error))
    })
    live.delete(this.id!)
    // Freed here, because the garbage collector sees only two small objects and would free their memory late.
    for (const { buffer } of this.free) buffer.transfer(0)
  }

  /** Cancels the parts in flight after a short time. Call it as soon as the upload has failed. */
  hurry(): void {
    setTimeout(() => this.cancelled.abort(), GRACE_MS).unref()
  }

  /** Removes the upload and its parts. A failure is logged, and the cleanup removes them later. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.inFlight)
    if (!this.id) return
    const { client, live, log } = this.context
    await client.send(new AbortMultipartUploadCommand(this.named())).catch((error) => {
      if (!isMissing(error))
        log.warn({ err: error, key: this.target.Key }, 'an upload is left to the cleanup')
    })
    live.delete(this.id)
  }

  private named() {
    return { Bucket: this.target.Bucket, Key: this.target.Key, UploadId: this.id }
  }
}
