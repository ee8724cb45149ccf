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
import { isMissing, sent } from './errors.ts'

/** The least that S3 takes: two of them are held per upload. 10,000 of them make 48 GB. */
export const PART_BYTES = 5 * 1024 * 1024
/** Most bodies are small. */
const FIRST_BYTES = 256 * 1024
/** One is sent while the other is filled, or both are sent. */
const BUFFERS = 2
/** S3 may keep a part that arrives while its upload is aborted, so parts in flight had better end by themselves. */
const GRACE_MS = 2000

export type Target = Required<Pick<PutObjectCommandInput, 'ContentType' | 'ContentDisposition'>> & {
  Bucket: string
  Key: string
}

export interface Part {
  number: number
  buffer: Buffer<ArrayBuffer>
  /** What of the buffer counts. */
  bytes: Uint8Array
}

export interface UploadContext {
  client: S3Client
  log: Logger
  /** Ids of the uploads that are under way in this process. */
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

  /** The first is smaller, and is for the caller to replace when it is full. Waits when all are being sent. */
  async takeBuffer(): Promise<Buffer<ArrayBuffer>> {
    if (this.free.length === 0 && this.made < BUFFERS) {
      return Buffer.allocUnsafeSlow(this.made++ === 0 ? FIRST_BYTES : PART_BYTES)
    }
    while (this.free.length === 0) await Promise.race(this.inFlight)
    return this.free.pop()!
  }

  /** Returns when the part is on its way. */
  async send({ number: PartNumber, buffer, bytes: Body }: Part): Promise<void> {
    const { client, live } = this.context
    if (!this.id) {
      this.id = (await sent(client.send(new CreateMultipartUploadCommand(this.target)))).UploadId!
      live.add(this.id)
    }
    const command = new UploadPartCommand({ ...this.named(), PartNumber, Body })
    const sending = sent(client.send(command, { abortSignal: this.cancelled.signal })).then(({ ETag }) => {
      this.done.push({ ETag, PartNumber })
      this.free.push(buffer)
      this.inFlight.delete(sending)
    })
    sending.catch((error) => this.failed.abort(error))
    this.inFlight.add(sending)
  }

  async allSent(): Promise<void> {
    await Promise.all(this.inFlight)
  }

  /** @returns the object's ETag */
  async complete(size: number): Promise<string> {
    const { client, live } = this.context
    const Parts = this.done.sort((a, b) => a.PartNumber! - b.PartNumber!)
    const command = new CompleteMultipartUploadCommand({ ...this.named(), MultipartUpload: { Parts } })
    const { ETag } = await client.send(command).catch(async (error) => {
      // An earlier try may have done it, though its answer was lost.
      const { Bucket, Key } = this.target
      const found = await client.send(new HeadObjectCommand({ Bucket, Key })).catch(() => undefined)
      return found?.ContentLength === size ? found : sent(Promise.reject(error))
    })
    live.delete(this.id!)
    // At once: to the collector they are two small objects, and it would take its time.
    for (const { buffer } of this.free) buffer.transfer(0)
    return ETag!
  }

  /** To be called as soon as it is clear that nothing will come of it. */
  hurry(): void {
    setTimeout(() => this.cancelled.abort(), GRACE_MS).unref()
  }

  /** Removes the upload and its parts; what even that leaves is logged, and for the clean-up. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.inFlight)
    if (!this.id) return
    const { client, live, log } = this.context
    await client.send(new AbortMultipartUploadCommand(this.named())).catch((error) => {
      if (!isMissing(error))
        log.warn({ err: error, key: this.target.Key }, 'an upload is left to the clean-up')
    })
    live.delete(this.id)
  }

  private named() {
    return { Bucket: this.target.Bucket, Key: this.target.Key, UploadId: this.id }
  }
}
