import { AppError } from '../errors.ts'

/**
 * The bytes of a request, cut into parts. When the request breaks off, or `signal` aborts, the bytes end there, so that the
 * caller can store what has arrived.
 */
export class IncomingBytes {
  private readonly chunks: AsyncIterator<Uint8Array>
  private rest: Uint8Array | undefined
  /** Why the bytes ended early. */
  failure: unknown

  constructor(
    body: AsyncIterable<Uint8Array>,
    private readonly signal: AbortSignal,
  ) {
    this.chunks = body[Symbol.asyncIterator]()
  }

  /** Waits for the next byte. */
  async hasMore(): Promise<boolean> {
    while (!this.rest?.byteLength) {
      const chunk = await this.next()
      if (!chunk) return false
      this.rest = chunk
    }
    return true
  }

  /**
   * The next bytes, at most so many.
   * @param sha256 that they must have, in lower-case hexadecimal. Then an early end is an error
   * @throws AppError DIGEST_MISMATCH
   */
  async *take(most: number, sha256?: string): AsyncGenerator<Uint8Array> {
    const hash = sha256 ? new Bun.CryptoHasher('sha256') : undefined
    for (let left = most; left > 0 && (await this.hasMore()); ) {
      const part = this.rest!.subarray(0, left)
      this.rest = this.rest!.subarray(part.byteLength)
      left -= part.byteLength
      hash?.update(part)
      yield part
    }
    if (!hash) return
    if (this.failure) throw this.failure
    if (hash.digest('hex') !== sha256) throw new AppError('DIGEST_MISMATCH')
  }

  private async next(): Promise<Uint8Array | undefined> {
    if (this.failure) return undefined
    // Not Promise.race with one long-lived promise: that would keep every chunk until the end.
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>()
    const stop = () => reject(this.signal.reason)
    this.signal.addEventListener('abort', stop)
    try {
      this.signal.throwIfAborted()
      this.chunks.next().then(resolve, reject)
      const { done, value } = await promise
      return done ? undefined : value
    } catch (error) {
      this.failure = error
      return undefined
    } finally {
      this.signal.removeEventListener('abort', stop)
    }
  }
}
