/**
 * Sends a body of unknown length to S3 in bounded memory. @aws-sdk/lib-storage is not used: its Upload, when it is aborted,
 * rejects before the parts in flight have ended and the upload is removed; when a part fails, it first reads the body to
 * its end; and while a body stalls, it ignores the signal.
 */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { chunksOf } from '../source.ts'
import type { Body } from '../storage.ts'
import { withS3Errors } from './errors.ts'
import { Multipart, PART_BYTES, type Part, type Target, type UploadContext } from './multipart.ts'

/**
 * Stores a body under its key. After a failure, the upload and its parts are removed before this rejects.
 * @throws StorageError NO_SPACE, UNAVAILABLE; the body's error; `signal.reason`
 */
export async function upload(
  context: UploadContext,
  target: Target,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<number> {
  // A part that fails stops reading the body.
  const failed = new AbortController()
  const ended = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const multipart = new Multipart(context, target, failed)
  const hurry = () => multipart.hurry()
  ended.addEventListener('abort', hurry)
  let size = 0
  try {
    for await (const part of cut(chunksOf(body, ended), () => multipart.takeBuffer())) {
      size += part.bytes.byteLength
      if (part.number === 1 && part.isLast) {
        const put = new PutObjectCommand({ ...target, Body: part.bytes })
        await withS3Errors(context.client.send(put))
        // As after a larger body: the garbage collector would let the buffers of many small objects accumulate.
        part.buffer.buffer.transfer(0)
        return size
      }
      await multipart.send(part)
    }
    await multipart.allSent()
    signal?.throwIfAborted()
    await multipart.complete(size)
    return size
  } catch (error) {
    failed.abort(error)
    await multipart.abandon()
    throw error
  } finally {
    ended.removeEventListener('abort', hurry)
  }
}

/** Gathers chunks into parts of one size. The last part may be shorter, or empty if it is the only one. */
async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  takeBuffer: () => Promise<Buffer<ArrayBuffer>>,
): AsyncGenerator<Part & { isLast: boolean }> {
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
        buffer = Buffer.from(buffer.buffer.transfer(Math.min(4 * used, PART_BYTES)))
      }
      const part = chunk.subarray(taken, taken + buffer.byteLength - used)
      buffer.set(part, used)
      used += part.byteLength
      taken += part.byteLength
    }
  }
  yield { number, buffer, bytes: buffer.subarray(0, used), isLast: true }
}
