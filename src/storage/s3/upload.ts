/**
 * A body of unknown length to S3 in bounded memory. Not @aws-sdk/lib-storage: when its Upload is aborted it rejects
 * before the parts in flight have ended and the upload is removed; when a part fails it first reads the body to its
 * end; and while a body stalls it never looks at the signal.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Logger } from '../../util/logger.ts'
import { chunksOf } from '../source.ts'
import type { Body } from '../storage.ts'
import { isMissing, sent } from './errors.ts'

/** The least that S3 takes: two of them are held per upload. 10,000 of them make 48 GB. */
const PART_BYTES = 5 * 1024 * 1024
/** Most bodies are small. */
const FIRST_BYTES = 256 * 1024
/** One is sent while the other is filled, or both are sent. */
const BUFFERS = 2

export interface UploadTarget {
  Bucket: string
  Key: string
  ContentType: string
  ContentDisposition: string
}

/**
 * Stores a body under its key. Should it fail, the upload and its parts are removed before this rejects; if even that
 * fails it is logged, and left to the clean-up.
 * @param live holds the ids of uploads that are under way
 * @throws StorageError NO_SPACE, UNAVAILABLE; what the body threw; `signal.reason`
 */
export async function upload(
  client: S3Client,
  target: UploadTarget,
  body: Body,
  { signal, live, log }: { signal: AbortSignal | undefined; live: Set<string>; log: Logger },
): Promise<{ size: number; etag: string }> {
  // A part that fails ends the reading of the body, and the other part.
  const failed = new AbortController()
  const ended = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const object = { Bucket: target.Bucket, Key: target.Key }
  const inFlight = new Set<Promise<void>>()
  const free: Buffer[] = []
  const done: CompletedPart[] = []
  let made = 0
  let size = 0
  let UploadId: string | undefined

  const takeBuffer = async (): Promise<Buffer> => {
    if (free.length === 0 && made < BUFFERS)
      return Buffer.allocUnsafeSlow(made++ === 0 ? FIRST_BYTES : PART_BYTES)
    while (free.length === 0) await Promise.race(inFlight)
    return free.pop()!
  }
  const sendPart = (buffer: Buffer, Body: Uint8Array, PartNumber: number): void => {
    const command = new UploadPartCommand({ ...object, UploadId, PartNumber, Body })
    const sending = sent(client.send(command, { abortSignal: ended })).then(({ ETag }) => {
      done.push({ ETag, PartNumber })
      free.push(buffer)
      inFlight.delete(sending)
    })
    sending.catch((error) => failed.abort(error))
    inFlight.add(sending)
  }

  try {
    for await (const part of cut(chunksOf(body, ended), takeBuffer)) {
      size += part.bytes.byteLength
      if (part.number === 1 && part.isLast) {
        const put = await sent(client.send(new PutObjectCommand({ ...target, Body: part.bytes })))
        return { size, etag: put.ETag! }
      }
      if (!UploadId) {
        UploadId = (await sent(client.send(new CreateMultipartUploadCommand(target)))).UploadId!
        live.add(UploadId)
      }
      sendPart(part.buffer, part.bytes, part.number)
    }
    await Promise.all(inFlight)
    signal?.throwIfAborted()
    done.sort((a, b) => a.PartNumber! - b.PartNumber!)
    const completion = { ...object, UploadId, MultipartUpload: { Parts: done } }
    const completed = await client
      .send(new CompleteMultipartUploadCommand(completion))
      .catch(async (error) => {
        // An earlier try may have done it, though its answer was lost.
        const found = await client.send(new HeadObjectCommand(object)).catch(() => undefined)
        if (found?.ContentLength === size) return found
        return sent(Promise.reject(error))
      })
    return { size, etag: completed.ETag! }
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(inFlight)
    if (UploadId) {
      await client.send(new AbortMultipartUploadCommand({ ...object, UploadId })).catch((left) => {
        if (!isMissing(left)) log.warn({ err: left, key: object.Key }, 'an upload is left to the clean-up')
      })
    }
    throw error
  } finally {
    if (UploadId) live.delete(UploadId)
  }
}

/** Gathers chunks into parts of one size, of which the last may be shorter, or empty if it is the only one. */
async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  takeBuffer: () => Promise<Buffer>,
): AsyncGenerator<{ number: number; buffer: Buffer; bytes: Uint8Array; isLast: boolean }> {
  let number = 1
  let buffer = await takeBuffer()
  let used = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (used === PART_BYTES) {
        yield { number: number++, buffer, bytes: buffer, isLast: false }
        buffer = await takeBuffer()
        used = 0
      } else if (used === buffer.byteLength) {
        const larger = Buffer.allocUnsafeSlow(Math.min(4 * used, PART_BYTES))
        buffer.copy(larger)
        buffer = larger
      }
      const part = chunk.subarray(taken, taken + buffer.byteLength - used)
      buffer.set(part, used)
      used += part.byteLength
      taken += part.byteLength
    }
  }
  yield { number, buffer, bytes: buffer.subarray(0, used), isLast: true }
}
